-- Somebody knows that the numbers are small and asks for smallint and integer. psycopg's binary dumper turns 70000 into
-- 4464 for a smallint without a word; here what does not fit is a reject, and the limits themselves fit.
CREATE TABLE t (id INTEGER PRIMARY KEY, two INTEGER, four INTEGER);
INSERT INTO t VALUES
  (1, 32767, 2147483647), (2, -32768, -2147483648), (3, 70000, 0), (4, 0, 2147483648), (5, 0, -2147483649), (6, NULL, NULL);
