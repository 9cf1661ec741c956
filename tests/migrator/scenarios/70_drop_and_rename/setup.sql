-- The plan drops and renames tables and columns. Keys, indexes, CHECKs and views follow a new name; what needs a dropped
-- column or table is a finding.
CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, legacy TEXT, age INTEGER CHECK (age > 0));
CREATE TABLE cache (id INTEGER PRIMARY KEY, doc TEXT);
CREATE TABLE post (
  id INTEGER PRIMARY KEY, author INTEGER REFERENCES users (id), cache_id INTEGER REFERENCES cache (id), draft INT,
  CHECK (draft <> 5)
);
CREATE INDEX by_legacy ON users (legacy);
CREATE INDEX by_mail ON users (mail, age);
CREATE VIEW grown AS SELECT mail FROM users WHERE age > 17;
CREATE VIEW old AS SELECT legacy FROM users;
INSERT INTO users VALUES (1, 'a@b', 'x', 20);
INSERT INTO cache VALUES (1, 'c');
INSERT INTO post VALUES (1, 1, 1, 0);
