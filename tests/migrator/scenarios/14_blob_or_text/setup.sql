-- Programs write texts into BLOB columns and bytes into TEXT columns, and SQLite keeps what it gets. Where a column holds
-- only one of the two, that decides and a finding says so; a column without a type goes by what it holds.
CREATE TABLE t (id INTEGER PRIMARY KEY, b_texts BLOB, t_blobs TEXT, u_ints, u_texts, u_blobs, u_none);
INSERT INTO t VALUES (1, 'ä', x'00ff', 1, 'one', x'01', NULL), (2, 'b', NULL, -2, '2', x'02', NULL);
