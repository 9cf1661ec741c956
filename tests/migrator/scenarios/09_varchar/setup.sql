-- SQLite enforces no length. Where every text keeps to n characters (characters, not bytes), the limit is carried; where
-- one is longer the column becomes text. CHAR(n) becomes varchar(n), because char(n) would pad with spaces.
CREATE TABLE t (id INTEGER PRIMARY KEY, kept VARCHAR(5), longer VARCHAR(5), fixed CHAR(3), spaces VARCHAR(5));
INSERT INTO t VALUES (1, 'äöüß€', 'abcdef', 'ab', 'abc  '), (2, '', 'a', 'abc', '     '), (3, NULL, NULL, NULL, 'abcde');
