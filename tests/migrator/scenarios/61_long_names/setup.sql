-- PostgreSQL cuts names after 63 bytes with no more than a notice, so two long names become one. Here a long name keeps its
-- beginning and gets a digest, with a finding; bytes count, not letters.
CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  a_very_long_name_that_a_generator_made_and_that_nobody_wanted_to_type_one INT,
  a_very_long_name_that_a_generator_made_and_that_nobody_wanted_to_type_two INT,
  exactly_sixty_three_bytes_long_and_therefore_still_as_it_was___ INT,
  ääääääääääääääääääääääääääääääää INT
);
INSERT INTO t VALUES (1, 2, 3, 4, 5);
CREATE INDEX an_index_with_a_name_that_is_longer_than_what_postgresql_would_keep_of_it ON t (id);
