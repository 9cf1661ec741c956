-- A declared type promises nothing: every column here also holds a value of a storage class that it was not made for.
-- Whoever trusts the declaration stops at the first such row, or loads a NULL or a 0 in its place.
-- Right: the census sees them, the plan asks, and each row that does not fit is a reject with its value.
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r REAL, s TEXT);
INSERT INTO t VALUES
  (1, 10, 1.5, 'one'),
  (2, 'n/a', 2.5, 'two'),
  (3, 30, 'n/a', 'three'),
  (4, 40, 4.5, x'00ff'),
  (5, x'05', 5.5, 'five');
