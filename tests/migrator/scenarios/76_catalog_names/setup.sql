-- PostgreSQL looks a name up in its own catalog first, so a table called pg_class would be created and never be found
-- again. Such a name gets an underscore behind it, with a finding, unless the plan says better.
CREATE TABLE pg_class (id INTEGER PRIMARY KEY, t TEXT);
INSERT INTO pg_class VALUES (1, 'x');
CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES pg_class (id));
INSERT INTO child VALUES (1, 1);
