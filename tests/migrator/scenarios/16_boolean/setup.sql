-- BOOLEAN is NUMERIC to SQLite. Only a column that holds nothing but 0, 1 and NULL becomes boolean, and its DEFAULT with
-- it; where a 2, a 'true' or a 'Y' is stored too, the values stay what they are, and a finding says that they are there.
-- An INTEGER that happens to hold 0 and 1 stays a number: the application compares it with = 1 and sums it.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  clean BOOLEAN DEFAULT 0,
  yes BOOL NOT NULL DEFAULT TRUE,
  two BOOLEAN DEFAULT 0,
  word BOOLEAN,
  both BOOLEAN,
  is_number INTEGER DEFAULT 0
);
INSERT INTO t VALUES (1, 1, 1, 2, 'true', 1, 1), (2, 0, 0, 0, 'false', 'Y', 0), (3, NULL, 1, NULL, NULL, NULL, NULL);
