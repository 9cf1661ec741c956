-- INTEGER holds 64 bits, and applications store snowflakes and hashes that need all of them: PostgreSQL's integer (int4)
-- does not, and a double in between loses the last digits.
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO t VALUES (1, 9223372036854775807), (-9223372036854775808, -9223372036854775808), (0, 9007199254740993);
