-- Texts without an offset mean a place's local time, and only a person knows which: the zone is stated. On 31 March 2024
-- Berlin's clocks went from 02:00 to 03:00, so 02:30 never was: its row is a reject, not an hour later. In October 02:30
-- was twice, and the text does not say which it was: a reject too.
CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT);
INSERT INTO t VALUES
  (1, '2024-01-15 12:00:00'), (2, '2024-07-15 12:00:00'), (3, '2024-03-31 02:30:00'), (4, '2024-10-27 02:30:00'),
  (5, '1900-01-01 00:00:00');
