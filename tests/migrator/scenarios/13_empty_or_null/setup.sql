-- '' is a value and NULL is none, in texts and in blobs; formats that go through CSV mix them up.
CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, b BLOB);
INSERT INTO t VALUES (1, '', x''), (2, NULL, NULL), (3, 'NULL', x'00'), (4, '\N', x'5c4e');
