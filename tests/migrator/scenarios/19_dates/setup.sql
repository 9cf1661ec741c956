-- SQLite has no dates, so the texts' form is part of the data. Where every text of a declared date column has one form, it
-- becomes PostgreSQL's type, and the plan keeps the form; with an offset or Z it is timestamptz. datetime.isoformat() leaves
-- out a fraction of zero, and that is one form too. TEXT columns stay text: the application compares them letter by letter.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  day DATE,
  at DATETIME,
  iso TIMESTAMP,
  zulu DATETIME,
  offset_2 DATETIME,
  python TIMESTAMP,
  millis DATETIME,
  clock TIME,
  plain TEXT
);
INSERT INTO t VALUES
  (1, '2024-02-29', '2024-02-29 23:59:59', '2024-02-29T23:59:59', '2024-02-29T23:59:59Z', '2024-02-29 23:59:59+02:00',
   '2024-02-29 23:59:59', '2024-02-29 23:59:59.120', '23:59', '2024-02-29'),
  (2, '0001-01-01', '0001-01-01 00:00:00', '1969-12-31T00:00:01', '1969-12-31T00:00:01Z', '2024-01-01 00:00:00+02:00',
   '2024-02-29 23:59:59.000001', '1969-12-31 00:00:00.001', '00:00', '2024-03-01');
