-- PostgreSQL has no U+0000 in texts. pgloader cuts the text off there without a word, others lose the row. Here the plan
-- asks for a policy per column: reject is the default, strip-nul and replace-nul heal, bytea keeps every byte.
CREATE TABLE t (id INTEGER PRIMARY KEY, rejected TEXT, stripped TEXT, replaced TEXT, raw TEXT);
INSERT INTO t VALUES
  (1, 'ok', 'a' || char(0) || 'b', 'a' || char(0) || 'b', 'a' || char(0) || 'b'),
  (2, 'a' || char(0), 'x', 'x', 'x'),
  (3, 'ok', '', char(0), 'ä');
