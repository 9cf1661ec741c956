-- AUTOINCREMENT promises that an id is never given twice, also after the newest rows were deleted. The last id given out
-- stands in sqlite_sequence, not in the table: who restarts at max(id) + 1 gives old ids to new rows.
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, s TEXT);
INSERT INTO t VALUES (1, 'a'), (2, 'b'), (42, 'c');
DELETE FROM t WHERE id > 1;
CREATE TABLE emptied (id INTEGER PRIMARY KEY AUTOINCREMENT, s TEXT);
INSERT INTO emptied VALUES (7, 'x');
DELETE FROM emptied;
CREATE TABLE reused (id INTEGER PRIMARY KEY, s TEXT);
INSERT INTO reused VALUES (1, 'a'), (42, 'c');
DELETE FROM reused WHERE id > 1;
CREATE TABLE never_used (id INTEGER PRIMARY KEY AUTOINCREMENT, s TEXT);
CREATE TABLE renamed (id INTEGER PRIMARY KEY AUTOINCREMENT, s TEXT);
INSERT INTO renamed VALUES (9, 'a');
DELETE FROM renamed;
