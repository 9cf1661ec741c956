-- A table may have nothing but its key, or a generated column beside it.
CREATE TABLE counter (id INTEGER PRIMARY KEY);
INSERT INTO counter VALUES (3), (1);
CREATE TABLE doubled (id INTEGER PRIMARY KEY, twice INTEGER AS (id * 2));
INSERT INTO doubled (id) VALUES (3);
