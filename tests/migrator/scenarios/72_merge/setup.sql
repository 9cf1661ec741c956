-- Two tables become one: the target table is a query over the source, in the same snapshot, with a census of its own. Rows
-- in and rows out are compared; here every row arrives. A key of NOCASE text sorts otherwise in the source.
CREATE TABLE cat (name TEXT COLLATE NOCASE PRIMARY KEY, age INTEGER);
CREATE TABLE dog (name TEXT PRIMARY KEY, age INTEGER);
INSERT INTO cat VALUES ('b', 1), ('A', 2), ('C', NULL);
INSERT INTO dog VALUES ('rex', 3);
