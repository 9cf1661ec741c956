-- FTS5 and rtree tables are virtual: their data lies in shadow tables in a form of their own. Copied as tables they would be
-- useless, so neither is carried and a finding proposes what to do; the ordinary table beside them is.
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
CREATE VIRTUAL TABLE note_search USING fts5 (body, content = 'note', content_rowid = 'id');
CREATE VIRTUAL TABLE place USING rtree (id, min_x, max_x);
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN INSERT INTO note_search (rowid, body) VALUES (new.id, new.body); END;
INSERT INTO note VALUES (1, 'hello');
INSERT INTO place VALUES (1, 0, 1);
