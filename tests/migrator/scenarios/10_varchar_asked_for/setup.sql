-- PostgreSQL refuses a text that is too long, except where what is too much are spaces: those it cuts off silently. And
-- char(n) fills up with spaces. Here only texts that come back as they were get in.
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, c TEXT);
INSERT INTO t VALUES (1, 'abcde', 'abc'), (2, 'abcde ', 'abc'), (3, 'abcdef', 'abc'), (4, 'abc', 'ab'), (5, 'abc', 'ab ');
