-- psycopg's binary dumper writes 2 as true. A column that is made boolean in the plan rejects everything but 0 and 1.
CREATE TABLE t (id INTEGER PRIMARY KEY, flag INTEGER);
INSERT INTO t VALUES (1, 0), (2, 1), (3, 2), (4, 'true'), (5, 1.5);
