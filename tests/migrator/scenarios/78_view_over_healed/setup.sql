-- A view shows texts of which the plan heals one: SQLite's result still has the NUL, and PostgreSQL's cannot.
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
INSERT INTO t VALUES (1, 'ok'), (2, 'x' || char(0) || 'y');
CREATE VIEW w AS SELECT a FROM t;
