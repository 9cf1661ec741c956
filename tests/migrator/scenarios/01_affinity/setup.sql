-- SQLite derives a column's affinity from letters in its declared type: INT wins over all else, so FLOATING POINT and
-- CHARINT are INTEGER; STRING is none of the known words, so it is NUMERIC, and '007' has been stored as 7.
-- The target type follows the affinity and what is stored, not what the name seems to say.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  point "FLOATING POINT",
  code CHARINT,
  zip STRING,
  word VARCHAR,
  ratio DOUBLE,
  untyped
);
INSERT INTO t VALUES (1, 2.0, '12', '007', 7, 1, '007'), (2, 2.5, 13, '8', 8.5, '2', '8');
