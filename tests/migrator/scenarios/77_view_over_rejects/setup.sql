-- A view counts rows of a table that loses one to a reject: its result differs, and rightly so. A proof that holds the
-- view to the source's result would call the policy a defect, and nothing would be placed.
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
INSERT INTO t VALUES (1, 'ok'), (2, 'x' || char(0) || 'y');
CREATE VIEW w AS SELECT count(*) AS n FROM t;
