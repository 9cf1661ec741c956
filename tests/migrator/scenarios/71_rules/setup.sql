-- A rule speaks for many columns at once and beats their lines, except where a line says rule = false.
CREATE TABLE a (id INTEGER PRIMARY KEY, created_at TEXT, updated_at TEXT);
CREATE TABLE b (id INTEGER PRIMARY KEY, created_at TEXT, secret TEXT);
INSERT INTO a VALUES (1, '2024-07-01 12:00:00', '2024-07-01 12:00:00');
INSERT INTO b VALUES (1, '2024-07-01 12:00:00', 'x');
