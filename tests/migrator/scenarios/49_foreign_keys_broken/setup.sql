-- SQLite looks at foreign keys only when they are used, so they may name tables and columns that do not exist or are not
-- unique, or compare a number with a text. PostgreSQL refuses these; each is a finding, and the rows are carried.
CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT, n INTEGER);
CREATE TABLE no_key (a INTEGER);
CREATE TABLE child (
  id INTEGER PRIMARY KEY,
  a INTEGER REFERENCES nowhere (id),
  b INTEGER REFERENCES parent (missing),
  c TEXT REFERENCES parent (code),
  d TEXT REFERENCES parent (id),
  e INTEGER REFERENCES no_key
);
INSERT INTO parent VALUES (1, 'one', 1);
INSERT INTO child VALUES (1, 5, 6, 'one', '1', 7);
