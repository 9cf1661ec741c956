-- A column declared JSON becomes json, which keeps every byte: spaces, the order of keys, duplicates. One text that is no
-- JSON (or NaN, which only Python calls JSON), and the column stays text.
CREATE TABLE t (id INTEGER PRIMARY KEY, doc JSON, broken JSON, nan JSON, plain TEXT);
INSERT INTO t VALUES
  (1, '{"b": 1,  "a": 1.0, "a": 2}', '{"a": 1}', '{"a": NaN}', '{"a": 1}'),
  (2, '["\u0000"]', '{a: 1}', '[]', '[]'),
  (3, NULL, '', NULL, NULL);
