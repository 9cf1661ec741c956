-- Every table of PostgreSQL has hidden columns: xmin and xmax stand in maps for the bounds of a box, and PostgreSQL refuses
-- them as names. They get an underscore behind them, with a finding, unless the plan says better.
CREATE TABLE box (id INTEGER PRIMARY KEY, xmin REAL, XMax REAL, ymin REAL, ymax REAL, ctid TEXT);
INSERT INTO box VALUES (1, 1.5, 2.5, 3.5, 4.5, 'x');
CREATE INDEX by_x ON box (xmin, xmax);
