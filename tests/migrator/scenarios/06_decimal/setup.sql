-- DECIMAL(10,2) enforces nothing in SQLite: it holds integers and doubles. Precision and scale are carried only where
-- every stored number fits them; else it is numeric without limits, and no digit is rounded away. A double is written with
-- the digits it needs (0.30000000000000004), not with the 15 that SQLite's CAST AS TEXT gives.
-- 1e22 may have been an integer once, which is reported.
CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(10,2), fine DECIMAL(10,2), wide DECIMAL(3), plain NUMERIC);
INSERT INTO t VALUES
  (1, 19.99, 12.345, 999, 0.1 + 0.2),
  (2, 5, 1, 1000, 9007199254740993),
  (3, -0.01, NULL, -1, 1e22),
  (4, 99999999.99, 0.1, 0, '1.50');
