-- FTS5 and rtree tables are virtual: their data lies in shadow tables in a form of their own. Copied as tables they would be
-- useless, so none is carried as it is. A search over another table's text loses nothing; the content of the others may
-- exist nowhere else, so a person decides: left behind, or carried by a query.
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
CREATE VIRTUAL TABLE note_search USING fts5 (body, content = 'note', content_rowid = 'id');
CREATE VIRTUAL TABLE place USING rtree (id, min_x, max_x);
CREATE VIRTUAL TABLE letter USING fts5 (body);
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN INSERT INTO note_search (rowid, body) VALUES (new.id, new.body); END;
INSERT INTO note VALUES (1, 'hello');
INSERT INTO place VALUES (1, 0, 1);
INSERT INTO letter VALUES ('precious');
