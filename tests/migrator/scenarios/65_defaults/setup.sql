-- DEFAULT "x" is a string: SQLite takes a name in quotes that is no column for a text. A number as a text default of an
-- INTEGER is stored as a number; x'' is empty bytes, and in PostgreSQL x'' would be a string of bits. What computes is a
-- finding, if it is not the clock.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  quoted TEXT DEFAULT "x",
  apostrophe TEXT DEFAULT 'it''s \n',
  empty TEXT DEFAULT '',
  number_as_text TEXT DEFAULT 5,
  text_as_number INTEGER DEFAULT '7',
  negative INTEGER DEFAULT -1,
  hex INTEGER DEFAULT 0x10,
  exponent REAL DEFAULT 1e3,
  whole REAL DEFAULT 1,
  price DECIMAL(10,2) DEFAULT 0.5,
  no_blob BLOB DEFAULT x'',
  blob BLOB DEFAULT x'00FF',
  missing TEXT DEFAULT NULL,
  brackets INTEGER DEFAULT (42),
  flag BOOLEAN DEFAULT FALSE,
  bare TEXT DEFAULT draft,
  chance INTEGER DEFAULT (random()),
  misfit INTEGER DEFAULT 'none',
  token TEXT DEFAULT (lower(hex(randomblob(16)))),
  largest INTEGER DEFAULT 9223372036854775807
);
