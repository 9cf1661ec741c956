-- A parent that does not fit its type is a reject, and so are its children and theirs: a key that was sound in the source
-- stays sound. Where the plan nulls a reference, the child stays.
CREATE TABLE parent (id INTEGER PRIMARY KEY, n INTEGER);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id));
CREATE TABLE grandchild (name TEXT, child_id INTEGER REFERENCES child (id));
CREATE TABLE note (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id));
INSERT INTO parent VALUES (1, 10), (2, 'x');
INSERT INTO child VALUES (1, 1), (2, 2);
INSERT INTO grandchild VALUES ('a', 1), ('b', 2), ('b', 2), ('c', NULL);
INSERT INTO note VALUES (1, 1), (2, 2);
