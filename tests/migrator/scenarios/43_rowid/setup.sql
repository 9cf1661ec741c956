-- Some programs address rows by the rowid that every table has. PostgreSQL has none: named in the plan, it becomes an
-- identity column with today's rowids. A column of the table may hide the name rowid; SQLite has three names for it.
CREATE TABLE log (message TEXT);
INSERT INTO log (rowid, message) VALUES (5, 'five'), (7, 'seven'), (-1, 'before');
CREATE TABLE hidden (rowid TEXT, message TEXT);
INSERT INTO hidden (_rowid_, rowid, message) VALUES (3, 'not it', 'three');
CREATE TABLE plain (message TEXT);
INSERT INTO plain VALUES ('twice'), ('twice');
