-- A JSON array of strings can become text[]: [] is an empty array, NULL stays NULL, the string "NULL" and quotes stay
-- themselves. A column with any other JSON in it becomes jsonb instead.
CREATE TABLE t (id INTEGER PRIMARY KEY, tags TEXT, mixed TEXT);
INSERT INTO t VALUES
  (1, '["a","b"]', '["a"]'), (2, '[]', '[1]'), (3, NULL, '[]'), (4, '[ "NULL", "", "{\"x\"},\\", "ä" ]', '[null]');
