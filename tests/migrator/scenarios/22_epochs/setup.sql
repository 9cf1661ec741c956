-- Numbers that are points in time: seconds, milliseconds or microseconds since 1970. pgloader made 1700000000 the year
-- 1700000000. The idiomatic style takes a unit only where name and range agree; in the faithful style they stay numbers.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  created_at INTEGER,
  updated_at INTEGER,
  seen_ts INTEGER,
  sampled_at REAL,
  population INTEGER,
  expires_at INTEGER
);
INSERT INTO t VALUES
  (1, 1700000000, 1700000000123, 1700000000123456, 1700000000.25, 1700000000, 0),
  (2, 946684800, 946684800000, 946684800000000, 1700000000.5, 1500000000, 1700000000);
