-- julianday() gives days since 4714 BC as a double. A double of that size steps by 40 µs, so not every one comes back from
-- a timestamp with the same bits: they stay numbers, and asked for, what is not exact is a reject.
CREATE TABLE t (id INTEGER PRIMARY KEY, stays REAL, asked REAL);
INSERT INTO t VALUES (1, 2460310.5, 2460310.5), (2, 2440587.75, 2440587.75), (3, 2460310.123456, 1e300);
