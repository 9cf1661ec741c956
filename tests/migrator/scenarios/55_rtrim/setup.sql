-- RTRIM ignores spaces at the end, and only spaces.
CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT COLLATE RTRIM UNIQUE);
INSERT INTO t VALUES (1, 'a  '), (2, 'a' || char(9)), (3, 'b');
