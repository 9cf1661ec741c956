-- An integer of 2**63 or more has been stored as a REAL: its last digits were lost before the migration. No type brings
-- them back, so it is reported, and the double is kept as it is.
CREATE TABLE only_large (n INTEGER);
INSERT INTO only_large VALUES (9223372036854775808), (18446744073709551615);
CREATE TABLE small_too (n INTEGER);
INSERT INTO small_too VALUES (1), (18446744073709551615);
CREATE TABLE all_digits_too (n BIGINT);
INSERT INTO all_digits_too VALUES (9223372036854775807), (9223372036854775808);
