-- A query that returns fewer rows than its tables hold loses some, meant or not: the run stops and says how many.
CREATE TABLE event (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO event VALUES (1, 1), (2, NULL), (3, 3);
