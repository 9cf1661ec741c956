-- A person asks for numeric(5,2). PostgreSQL would round 1.005 to 1.01 without an error; here what needs a third decimal
-- or a fourth digit before the point is a reject, also where it is a REAL column.
CREATE TABLE t (id INTEGER PRIMARY KEY, n REAL);
INSERT INTO t VALUES (1, 1.25), (2, 1.005), (3, 1000.5), (4, -999.99), (5, 3), (6, 9e999);
