-- A column declared UUID becomes uuid where all texts are written alike, in capitals or without hyphens too, and the plan
-- keeps the form. Sixteen bytes become one where the plan asks for it.
CREATE TABLE t (id INTEGER PRIMARY KEY, u UUID, big GUID, hex UUID, raw BLOB, mixed UUID);
INSERT INTO t VALUES
  (1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11',
   x'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  (2, NULL, NULL, NULL, x'00', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
