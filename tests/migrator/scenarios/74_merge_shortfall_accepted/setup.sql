-- The plan names the number of rows that may stay behind; exactly so many do.
CREATE TABLE event (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO event VALUES (1, 1), (2, NULL), (3, 3);
