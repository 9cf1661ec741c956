-- A person decides that references to nowhere become NULL. Each is on record, and the row stays.
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id), s TEXT);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1, 'a'), (2, 99, 'b'), (3, NULL, 'c');
