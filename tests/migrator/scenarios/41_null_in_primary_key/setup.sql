-- SQLite lets NULLs into every primary key but INTEGER PRIMARY KEY and those WITHOUT ROWID. PostgreSQL does not: the key
-- becomes UNIQUE, which allows them as before, and all rows arrive. Where only a person can say which row is meant, the
-- plan can add the rowid as a key, or leave the key and reject the NULLs.
CREATE TABLE t (code TEXT PRIMARY KEY, n INT);
INSERT INTO t VALUES ('a', 1), (NULL, 2), (NULL, 2), ('', 3);
CREATE TABLE pair (a INT, b TEXT, PRIMARY KEY (a, b));
INSERT INTO pair VALUES (1, NULL), (1, NULL), (1, 'x');
CREATE TABLE with_rowid (code TEXT PRIMARY KEY, n INT);
INSERT INTO with_rowid VALUES ('a', 1), (NULL, 2);
CREATE TABLE strict_key (code TEXT PRIMARY KEY, n INT);
INSERT INTO strict_key VALUES ('a', 1), (NULL, 2);
