-- INTEGER PRIMARY KEY is the rowid itself and numbers new rows; INT PRIMARY KEY and INTEGER PRIMARY KEY DESC look alike and
-- do not: they may even hold NULL. Only the first becomes an identity; a column that wants a number goes on wanting one.
CREATE TABLE alias (id INTEGER PRIMARY KEY, s TEXT);
CREATE TABLE table_clause (s TEXT, id INTEGER, PRIMARY KEY (id));
CREATE TABLE not_alias (id INT PRIMARY KEY, s TEXT);
CREATE TABLE descending (id INTEGER PRIMARY KEY DESC, s TEXT);
INSERT INTO alias VALUES (41, 'a'), (-5, 'b');
INSERT INTO table_clause VALUES ('a', 41);
INSERT INTO not_alias VALUES (41, 'a');
INSERT INTO descending VALUES (41, 'a');
