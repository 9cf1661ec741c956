-- Triggers that keep a full-text index in step: the index is no table that PostgreSQL could have, so they stay behind, and
-- say so. The other trigger of the same table is carried.
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, changes INTEGER DEFAULT 0);
CREATE VIRTUAL TABLE note_search USING fts5 (body, content = 'note', content_rowid = 'id');
CREATE TRIGGER note_in AFTER INSERT ON note BEGIN INSERT INTO note_search (rowid, body) VALUES (new.id, new.body); END;
CREATE TRIGGER note_out AFTER DELETE ON note BEGIN
    INSERT INTO note_search (note_search, rowid, body) VALUES ('delete', old.id, old.body);
END;
CREATE TRIGGER note_changed AFTER UPDATE ON note BEGIN
    INSERT INTO note_search (note_search, rowid, body) VALUES ('delete', old.id, old.body);
    INSERT INTO note_search (rowid, body) VALUES (new.id, new.body);
END;
CREATE TRIGGER counted AFTER UPDATE OF body ON note BEGIN UPDATE note SET changes = changes + 1 WHERE id = new.id; END;
INSERT INTO note (id, body) VALUES (1, 'hello');
