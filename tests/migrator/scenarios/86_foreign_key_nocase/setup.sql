-- A foreign key compares by the parent's collation. Under NOCASE the child 'ANN' has the parent 'ann'; PostgreSQL's key
-- compares exactly and would call it an orphan. A child's own NOCASE changes nothing, so that key is carried.
CREATE TABLE person (name TEXT COLLATE NOCASE PRIMARY KEY);
INSERT INTO person VALUES ('ann'), ('bob');
CREATE TABLE pet (id INTEGER PRIMARY KEY, owner TEXT REFERENCES person(name));
INSERT INTO pet VALUES (1, 'ANN'), (2, 'bob');
CREATE TABLE code (code TEXT PRIMARY KEY NOT NULL);
INSERT INTO code VALUES ('a'), ('b');
CREATE TABLE item (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE REFERENCES code(code));
INSERT INTO item VALUES (1, 'a');
