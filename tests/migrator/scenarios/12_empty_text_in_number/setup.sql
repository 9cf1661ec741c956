-- Forms and CSV imports leave '' in number columns. PostgreSQL refuses it; pgloader and many scripts make it NULL without
-- asking. Here the plan asks, null-if-empty heals exactly the empty texts and each healing is on record.
CREATE TABLE t (id INTEGER PRIMARY KEY, healed INTEGER, rejected REAL, only_empty INTEGER);
INSERT INTO t VALUES (1, 5, 1.5, ''), (2, '', 2.5, ''), (3, NULL, '', NULL);
