-- A person decides that a column with some bad dates becomes a date all the same: the bad ones are rejects with their
-- text. null-if-empty does what it says for ''.
CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE, at DATETIME);
INSERT INTO t VALUES
  (1, '2024-02-29', '2024-02-29 10:00:00'), (2, '2024-02-30', '2024-02-29 10:00:00'), (3, '', '2024-02-29 10:00:00'),
  (4, '2024-02-28', '2024-02-29T10:00:00'), (5, '2024-2-1', '2024-02-29 10:00:00'), (6, 20240229, '2024-02-29 10:00:00');
