-- Texts and blobs in one column: no PostgreSQL type tells 'a' from x'61', so a person decides. Here one column is left
-- to reject its minority, and numbers mixed with texts become text, as long as each can be told from the other.
CREATE TABLE t (id INTEGER PRIMARY KEY, both BLOB, setting, ambiguous);
INSERT INTO t VALUES (1, x'61', 1, 1), (2, x'62', 'on', 'one'), (3, 'c', 2.5, 3), (4, x'64', '', '4');
