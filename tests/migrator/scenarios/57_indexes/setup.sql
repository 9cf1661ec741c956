-- Unique, partial, expression and DESC indexes are carried as they are. pgloader makes a partial unique index unique over
-- all rows and crashes on an expression. An index over what cannot be translated is a finding with its text.
CREATE TABLE t (id INTEGER PRIMARY KEY, user_id INTEGER, active INTEGER, name TEXT, at TEXT, score REAL);
CREATE UNIQUE INDEX one_active ON t (user_id) WHERE active = 1;
CREATE INDEX newest ON t (user_id, at DESC);
CREATE INDEX by_upper ON t (upper(name), score + 1);
CREATE INDEX named ON t (name) WHERE name IS NOT NULL AND name <> '';
CREATE INDEX by_month ON t (strftime('%Y-%m', at));
CREATE UNIQUE INDEX "MixedCase" ON t (at, name);
INSERT INTO t VALUES (1, 7, 1, 'Ann', '2024', 1.5), (2, 7, 0, 'ann', '2025', NULL), (3, 7, NULL, NULL, NULL, NULL);
