-- WITHOUT ROWID tables have no rowid to read them by, and their key takes no NULL. STRICT tables do keep their types; ANY
-- there converts nothing, although the same word elsewhere is NUMERIC: '007' stays a text, and 1.0 is not 1.
CREATE TABLE w (a TEXT, b INTEGER, c REAL, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;
INSERT INTO w VALUES ('x', 1, 0.5), ('x', 2, NULL), ('a', 1, -0.5);
CREATE TABLE s (id INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, x ANY, y ANY, z ANY) STRICT;
INSERT INTO s VALUES (1, 1, 1, 'a', x'00', 1, '007', 1.0), (2, NULL, 2.5, '', x'', 2.5, '8', 2);
CREATE TABLE both (k TEXT PRIMARY KEY, v ANY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO both VALUES ('a', 1), ('b', 'one');
