-- CHECKs are carried where their meaning is proven on both engines, with their name; GLOB and typeof too. The others are a
-- finding with their text.
-- A CHECK that a boolean is 0 or 1 follows the column to its new type.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  n INTEGER CHECK (n > 0),
  code TEXT CONSTRAINT capital CHECK (code GLOB '[A-Z]*'),
  kind TEXT CHECK (kind IN ('a', 'b') AND length(kind) = 1),
  sure INTEGER CHECK (typeof(sure) = 'integer'),
  flag BOOLEAN CHECK (flag IN (0, 1)),
  doc TEXT CHECK (json_valid(doc)),
  low INTEGER,
  high INTEGER,
  CHECK (low <= high)
);
INSERT INTO t VALUES (1, 1, 'Abc', 'a', 5, 1, '{}', 1, 2), (2, NULL, NULL, NULL, 6, NULL, NULL, NULL, NULL);
