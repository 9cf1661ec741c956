PRAGMA encoding = 'UTF-16le';
-- A database may keep its texts in UTF-16. Lengths in bytes and the order of rows differ from UTF-8, the characters do
-- not. A NUL or half a surrogate pair is as wrong here as there; reject and bytea mean the same.
CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, s VARCHAR(3), bad TEXT);
INSERT INTO t VALUES
  ('z', 'äöü', 'ok'), ('ä', '🙂', 'ok'), ('€', '', 'a' || char(0)), ('🙂', NULL, 'ok'), (char(65376), 'x', CAST(x'00d8' AS TEXT));
