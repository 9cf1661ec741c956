-- Without parent columns a key means the parent's primary key. It may be composite, point to its own table, or close a
-- circle of tables; actions and deferrability belong to it. A child declared INT and a parent INTEGER are one type.
CREATE TABLE tree (id INTEGER PRIMARY KEY, parent_id INT REFERENCES tree ON DELETE CASCADE);
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 3), (4, 5), (5, 4);
CREATE TABLE place (country TEXT, city TEXT, PRIMARY KEY (country, city)) WITHOUT ROWID;
CREATE TABLE person (
  id INTEGER PRIMARY KEY, country TEXT, city TEXT, team_id INTEGER REFERENCES team (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT lives_in FOREIGN KEY (country, city) REFERENCES place ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE TABLE team (id INTEGER PRIMARY KEY, head_id INTEGER REFERENCES person (id) DEFERRABLE INITIALLY IMMEDIATE);
CREATE TABLE code (value TEXT UNIQUE);
CREATE TABLE coded (value VARCHAR(10) REFERENCES code (value) ON DELETE RESTRICT ON UPDATE SET DEFAULT);
INSERT INTO place VALUES ('de', 'Köln');
INSERT INTO person VALUES (1, 'de', 'Köln', 1), (2, 'xx', NULL, 1);
INSERT INTO team VALUES (1, 2);
INSERT INTO code VALUES ('a'), (NULL);
INSERT INTO coded VALUES ('a'), (NULL);
