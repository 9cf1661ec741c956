-- The idiomatic style recognises booleans that were spelled as text or kept as 0 and 1 under a name that means yes or no.
-- The plan keeps the spellings, so that each value can be proven against the source; one outlier and it stays text.
CREATE TABLE t (
  id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT, is_open INTEGER, amount INTEGER, outlier TEXT, d TEXT DEFAULT 'no'
);
INSERT INTO t VALUES
  (1, 'true', 't', 'Y', 1, 1, 'yes', 'yes'), (2, 'false', 'f', 'N', 0, 0, 'no', 'no'), (3, NULL, NULL, NULL, NULL, NULL, 'No', NULL);
