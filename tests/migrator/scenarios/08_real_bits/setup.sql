-- REAL is a double of 64 bits, PostgreSQL's real has 32: pgloader takes that and rounds every number. Here every bit
-- arrives: the smallest and the largest double, the sign of zero, both infinities. SQLite itself turns NaN into NULL.
CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL, untyped);
INSERT INTO t VALUES
  (1, 0.1, 0.1),
  (2, 5e-324, 5e-324),
  (3, 1.7976931348623157e308, -1.7976931348623157e308),
  (4, 9e999, -9e999),
  (5, 9e999 - 9e999, 1e22),
  (6, 9007199254740993, -0.0),
  (7, 2, 2.0);
