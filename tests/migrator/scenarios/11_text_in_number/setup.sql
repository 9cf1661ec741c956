-- Texts in a number column are never made NULL or 0 silently. By default their rows are rejects and the plan asks; the
-- policy widen turns the whole column into text, where numbers are written as SQLite would print them.
CREATE TABLE t (id INTEGER PRIMARY KEY, rejected INTEGER, widened INTEGER, price DECIMAL(6,2));
INSERT INTO t VALUES (1, 5, 5, 9.5), (2, 'five', 'five', 1), (3, 7, -7, 2), (4, 8, 2.5, 'free');
