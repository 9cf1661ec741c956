-- Generated columns stay generated where the expression means the same in PostgreSQL; virtual ones become stored, because
-- PostgreSQL before 18 has no others. Where it cannot be translated, today's values are carried, and a finding says that
-- nothing computes them any more.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  price INTEGER,
  amount INTEGER,
  total INTEGER GENERATED ALWAYS AS (price * amount) STORED,
  label TEXT AS (name || '!') VIRTUAL,
  name TEXT,
  month TEXT GENERATED ALWAYS AS (strftime('%m', at)),
  at TEXT
);
INSERT INTO t (id, price, amount, name, at) VALUES (1, 3, 4, 'x', '2024-05-06'), (2, NULL, 4, NULL, NULL);
CREATE INDEX by_total ON t (total);
