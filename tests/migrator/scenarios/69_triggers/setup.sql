-- Triggers fire for nothing that a run copies, and for everything afterwards. SQLite does not fire a trigger because of
-- what it does itself; PostgreSQL does, so a trigger that changes its own table has to know that it is at work.
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, changed TEXT);
CREATE TRIGGER touch AFTER UPDATE ON t BEGIN UPDATE t SET changed = datetime('now') WHERE id = new.id; END;
CREATE VIEW v AS SELECT id, n FROM t;
CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t (n) VALUES (new.n); END;
INSERT INTO t VALUES (1, 1, NULL);
