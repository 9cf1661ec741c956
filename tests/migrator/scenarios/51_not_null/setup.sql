-- NOT NULL is part of the contract; pgloader loses it. It may also be asked for in the plan, and then NULLs are rejects.
CREATE TABLE t (id INTEGER PRIMARY KEY, must TEXT NOT NULL, may TEXT, asked TEXT);
INSERT INTO t VALUES (1, '', NULL, 'a'), (2, 'b', 'b', NULL);
