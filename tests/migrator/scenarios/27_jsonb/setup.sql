-- jsonb keeps what the JSON means: keys sorted, numbers by value. It is taken in the idiomatic style or where asked for; what
-- it cannot hold (the escape \u0000, half a surrogate pair, no JSON at all) is a reject, and the idiomatic style leaves such
-- a column as text. So it does where a key comes twice, of which jsonb forgets the first. Big numbers keep their digits.
CREATE TABLE t (id INTEGER PRIMARY KEY, doc TEXT, asked TEXT, kept TEXT, twice TEXT);
INSERT INTO t VALUES
  (1, '{"b": 1, "a": 1}', '{}', '{"a": "\u0000"}', '{"a": 1, "a": 2}'),
  (2, '[12345678901234567890.125, 1.50, 1e2]', '{"a": "\u0000"}', '{}', '{"a": {"b": 1, "b": 1}}'),
  (3, '{"ä": null}', '{"a": "\ud800"}', '{}', '[]'),
  (4, '{"x": "\\u0000"}', 'not JSON', '{}', '{}'),
  (5, NULL, '"a scalar"', '{}', NULL);
