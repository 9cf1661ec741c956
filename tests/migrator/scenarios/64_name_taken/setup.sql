-- A person gives a table the name that another one has. SQLite's own names cannot collide in PostgreSQL, because both
-- fold the letters A to Z; names from a plan can, and such a plan is refused before anything is read.
CREATE TABLE a (id INTEGER PRIMARY KEY);
CREATE TABLE b (id INTEGER PRIMARY KEY);
