-- SQLite never looks at the bytes of a text; old programs wrote Latin-1. pgloader loses the rest of the table at the first
-- bad row. Here one bad row is one reject, with its bytes; the policy bytea keeps them all.
CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, raw TEXT);
INSERT INTO t VALUES
  (1, 'gut', CAST(x'fc' AS TEXT)), (2, CAST(x'67fc74' AS TEXT), 'ü'), (3, '🙂', 'z'), (4, CAST(x'eda080' AS TEXT), 'z');
