-- A view shows a column of 'yes' and 'no' that the plan makes boolean: the texts and the truths are no difference.
CREATE TABLE t (id INTEGER PRIMARY KEY, is_open TEXT);
INSERT INTO t VALUES (1, 'yes'), (2, 'no');
CREATE VIEW w AS SELECT id, is_open FROM t;
