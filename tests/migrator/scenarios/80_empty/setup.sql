-- A table without rows has no census: the declared types decide. A database may also consist of empty tables only.
CREATE TABLE t (
  id INTEGER PRIMARY KEY, n INTEGER, r DOUBLE, s VARCHAR(20), b BLOB, flag BOOLEAN, at DATETIME, day DATE, clock TIME,
  price DECIMAL(10, 2), doc JSON, untyped
);
