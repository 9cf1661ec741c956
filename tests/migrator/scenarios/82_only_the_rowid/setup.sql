-- Every column dropped: with the rowid asked for the table has that, else it has its rows and no column.
CREATE TABLE kept (a TEXT);
INSERT INTO kept (rowid, a) VALUES (5, 'x'), (6, 'y');
CREATE TABLE bare (a TEXT);
INSERT INTO bare VALUES ('x'), ('y');
