-- SQLite enforces foreign keys only where each connection asks for it, so rows without their parent are common. By default
-- all rows are carried and the key is added NOT VALID: it holds for every new row, and the plan says how many are old.
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id));
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1), (2, 99), (3, NULL);
