-- UNIQUE ON CONFLICT REPLACE lets a plain INSERT replace rows; IGNORE drops it. PostgreSQL has that only in the statement, so
-- the constraint is carried and a finding names where the application has to change. The same for a primary key and NOT NULL.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  code TEXT UNIQUE ON CONFLICT REPLACE,
  a INT,
  b INT,
  c INT UNIQUE ON CONFLICT ABORT,
  UNIQUE (a, b) ON CONFLICT IGNORE
);
CREATE TABLE setting (name TEXT PRIMARY KEY ON CONFLICT REPLACE, value TEXT NOT NULL ON CONFLICT REPLACE DEFAULT '');
INSERT INTO t VALUES (1, 'x', 1, 1, 1);
INSERT INTO setting VALUES ('k', 'old');
INSERT INTO setting VALUES ('k', NULL);
