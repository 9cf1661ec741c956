-- A query whose key is a NOCASE column of one table sorts by that collation, and PostgreSQL does not.
CREATE TABLE tag (name TEXT COLLATE NOCASE, n INTEGER);
INSERT INTO tag VALUES ('b', 1), ('A', 2), ('C', 3), ('a', 4), ('_', 5), (x'62', 6);
