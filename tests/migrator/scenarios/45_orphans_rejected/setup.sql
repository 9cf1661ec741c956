-- A person decides that rows without a parent stay behind: they are rejects with their key, and so are the rows that hang
-- on them, through any number of tables. The key is then valid.
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent);
CREATE TABLE grandchild (id INTEGER PRIMARY KEY, child_id INTEGER NOT NULL REFERENCES child (id));
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1), (2, 99), (3, NULL);
INSERT INTO grandchild VALUES (10, 1), (11, 2), (12, 3);
