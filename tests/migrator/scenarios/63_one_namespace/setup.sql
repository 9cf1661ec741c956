-- In PostgreSQL tables, indexes, sequences and views of a schema share their names, and a constraint's index takes one too.
-- What the keys are called here gives way to what exists.
CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
CREATE TABLE t_pkey (id INTEGER PRIMARY KEY);
CREATE TABLE t_code_key (id INTEGER PRIMARY KEY);
CREATE TABLE t_id_seq (id INTEGER PRIMARY KEY);
INSERT INTO t VALUES (1, 'a');
INSERT INTO t_pkey VALUES (2);
INSERT INTO t_code_key VALUES (3);
INSERT INTO t_id_seq VALUES (4);
