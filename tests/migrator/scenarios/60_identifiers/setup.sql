-- Names: SQLite compares them without regard to the case of A to Z, PostgreSQL folds what is not quoted to lower case. So
-- names become lower case, and are always quoted: reserved words, spaces, quotes, semicolons, percent signs and letters of
-- any language are names like others. Ä and ä are two names to both.
CREATE TABLE "Order" ("User" INTEGER PRIMARY KEY, "select" TEXT, "Group By" INT, "100%" INT, "%s" INT, "{}" INT, "a.b" INT);
CREATE TABLE "x""; DROP TABLE ""order""; --" ("it's" TEXT, [brackets] INT, `ticks` INT, "Ä" INT, "ä" INT, "日本" INT, "?" INT);
CREATE INDEX "in dex;" ON "Order" ("Group By", "100%");
INSERT INTO "Order" VALUES (1, 'a', 2, 3, 4, 5, 6);
INSERT INTO "x""; DROP TABLE ""order""; --" VALUES ('b', 1, 2, 3, 4, 5, 6);
CREATE TABLE MixedCase (camelCase TEXT, UPPER TEXT REFERENCES mixedcase (CAMELCASE), UNIQUE (CAMELcase));
INSERT INTO mixedcase VALUES ('x', 'x');
