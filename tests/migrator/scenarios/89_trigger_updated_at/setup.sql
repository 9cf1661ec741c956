-- The most common trigger of all: an UPDATE writes down when it was. In PostgreSQL it would fire for its own UPDATE, and
-- so on for ever. It must work for several rows, again in the same transaction, and for rows whose key is changed.
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, revision INTEGER NOT NULL DEFAULT 1, updated_at TEXT);
CREATE TRIGGER note_updated AFTER UPDATE ON note FOR EACH ROW BEGIN
    UPDATE note SET updated_at = CURRENT_TIMESTAMP, revision = revision + 1 WHERE id = OLD.id;
END;
CREATE TABLE page (name TEXT PRIMARY KEY, body TEXT, updated_at TEXT);
CREATE TRIGGER page_updated AFTER UPDATE OF body ON page WHEN NEW.updated_at IS OLD.updated_at BEGIN
    UPDATE page SET updated_at = datetime('now') WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER page_made AFTER INSERT ON page BEGIN UPDATE page SET updated_at = 'new' WHERE name = NEW.name; END;
INSERT INTO note (id, body) VALUES (1, 'a'), (2, 'b');
INSERT INTO page (name, body) VALUES ('home', 'x');
