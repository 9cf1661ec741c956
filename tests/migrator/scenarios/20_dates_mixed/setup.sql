-- One column, several forms, or a day that does not exist: SQLite accepts '2024-02-30' and even computes with it. Such a
-- column stays text, with a finding; nothing is guessed, and no value becomes NULL.
CREATE TABLE t (id INTEGER PRIMARY KEY, mixed DATETIME, invalid DATE, zones TIMESTAMP, empty DATE);
INSERT INTO t VALUES
  (1, '2024-02-01 10:00:00', '2024-02-01', '2024-02-01 10:00:00+01:00', '2024-02-01'),
  (2, '2024-02-01T10:00:00', '2024-02-30', '2024-02-01 10:00:00+02:00', ''),
  (3, '01/02/2024', '0000-00-00', '2024-02-01 10:00:00', NULL);
