-- A view is carried where every expression in it means the same in PostgreSQL, and the results of both are compared. One
-- that cannot be translated is a finding with its text, as is one that SQLite itself cannot read any more.
CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT, n INTEGER);
INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20), (3, 'a', NULL);
CREATE VIEW sums AS SELECT kind, count(*) AS number, sum(n) AS total FROM t GROUP BY kind;
CREATE VIEW "Over View" (k, s) AS SELECT kind, total FROM sums WHERE total > 5;
CREATE VIEW months AS SELECT strftime('%m', 'now') AS month FROM t;
CREATE VIEW broken AS SELECT missing FROM gone;
