-- A query returns as many rows as its covered tables hold, but all of them come from one: the sum is right, and the other
-- table would be lost without a word. The plan is refused, and the name of the table is said.
CREATE TABLE cat (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO cat VALUES (1, 'Tom');
CREATE TABLE dog (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO dog VALUES (1, 'Rex');
