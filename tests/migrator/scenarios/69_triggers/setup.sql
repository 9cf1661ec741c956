-- Triggers are not translated yet. Each is a finding with its text, so that nobody misses what it did.
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, changed TEXT);
CREATE TRIGGER touch AFTER UPDATE ON t BEGIN UPDATE t SET changed = datetime('now') WHERE id = new.id; END;
CREATE VIEW v AS SELECT id, n FROM t;
CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t (n) VALUES (new.n); END;
INSERT INTO t VALUES (1, 1, NULL);
