-- Long names that differ only in the case of letters after the first 126, or a table and a view: what would be one name
-- in PostgreSQL is a question. Here a person renames one table to the name of another, which is refused as a plan.
CREATE TABLE a (id INTEGER PRIMARY KEY);
CREATE TABLE b (id INTEGER PRIMARY KEY);
