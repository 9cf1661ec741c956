-- CURRENT_TIMESTAMP is UTC and text in seconds. On a text column PostgreSQL's own CURRENT_TIMESTAMP would write another
-- form, in the session's zone, and the application's comparisons of old and new rows would break. The spelling is free.
CREATE TABLE texts (
  id INTEGER PRIMARY KEY,
  at TEXT DEFAULT CURRENT_TIMESTAMP,
  low TEXT DEFAULT current_timestamp,
  call TEXT DEFAULT (datetime('now')),
  iso TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  day TEXT DEFAULT CURRENT_DATE,
  clock TEXT DEFAULT (time('now')),
  epoch INTEGER DEFAULT (strftime('%s', 'now')),
  local TEXT DEFAULT (datetime('now', 'localtime'))
);
CREATE TABLE times (id INTEGER PRIMARY KEY, at DATETIME DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT Current_Date);
INSERT INTO times VALUES (1, '2024-01-01 00:00:00', '2024-01-01');
