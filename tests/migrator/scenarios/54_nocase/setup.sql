-- NOCASE folds the 26 letters A to Z and no others: 'Ä' and 'ä' are two names. citext and lower() in most collations fold
-- those too and would refuse the second row. A unique NOCASE column stays unique in SQLite's sense.
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE);
INSERT INTO t VALUES (1, 'Ärger'), (2, 'ärger'), (3, 'Bob'), (4, 'STRASSE'), (5, 'straße');
CREATE TABLE tag (name TEXT COLLATE NOCASE PRIMARY KEY, n INT);
INSERT INTO tag VALUES ('A', 1), ('b', 2), ('Ä', 3), ('ä', 4), ('C', 5);
CREATE TABLE indexed (s TEXT);
CREATE UNIQUE INDEX by_s ON indexed (s COLLATE NOCASE DESC);
INSERT INTO indexed VALUES ('x'), ('Y');
