-- A CHECK that was added later, or switched off with PRAGMA ignore_check_constraints, may have old rows against it. The
-- CHECK is carried, and such a row is a reject with the constraint's name instead of the end of the run.
PRAGMA ignore_check_constraints = ON;
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CONSTRAINT positive CHECK (n > 0));
INSERT INTO t VALUES (1, 5), (2, -5), (3, 7);
