-- JSONB of SQLite (3.45 and later) is a blob in a format of its own, and PostgreSQL's jsonb is another. The blob is carried
-- byte for byte; whoever wants the document has SQLite write it as text, with json() in a query.
CREATE TABLE raw (id INTEGER PRIMARY KEY, doc BLOB);
CREATE TABLE asked (id INTEGER PRIMARY KEY, doc BLOB);
INSERT INTO raw VALUES (1, jsonb('{"a":[1,2.5]}')), (2, jsonb('[]')), (3, NULL);
INSERT INTO asked SELECT * FROM raw;
