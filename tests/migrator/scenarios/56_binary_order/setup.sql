-- SQLite sorts texts by their bytes. PostgreSQL sorts by the database's collation, where 'a' comes before 'B': keyset
-- pagination and range queries of the application would skip rows. Faithful texts have the collation C.
CREATE TABLE t (s TEXT PRIMARY KEY NOT NULL, v VARCHAR(5));
INSERT INTO t VALUES ('b', 'b'), ('B', 'B'), ('a', 'a'), ('Z', 'Z'), ('ä', 'ä'), ('_', '_'), ('🙂', NULL), ('ｚ', NULL);
