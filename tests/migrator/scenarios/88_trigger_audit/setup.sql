-- An audit log: who reads it relies on one row for each change, with the values before and after it, and none for an
-- UPDATE that changes nothing. In SQLite the newest trigger fires first, in PostgreSQL the first by its name.
CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance REAL NOT NULL DEFAULT 0);
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, what TEXT, before REAL, after REAL);
CREATE TRIGGER audit_insert AFTER INSERT ON account BEGIN
    INSERT INTO audit (account, what, after) VALUES (NEW.id, 'new', NEW.balance);
END;
CREATE TRIGGER a_second AFTER UPDATE OF balance ON account WHEN OLD.balance <> NEW.balance BEGIN
    INSERT INTO audit (account, what, before, after) VALUES (NEW.id, 'second', OLD.balance, NEW.balance);
END;
CREATE TRIGGER b_first AFTER UPDATE ON account WHEN OLD.balance IS NOT NEW.balance BEGIN
    INSERT INTO audit (account, what) VALUES (NEW.id, 'first ' || OLD.owner || ' → ' || NEW.owner);
END;
CREATE TRIGGER audit_delete BEFORE DELETE ON account FOR EACH ROW BEGIN
    INSERT INTO audit (account, what, before) VALUES (OLD.id, 'gone', OLD.balance);
END;
INSERT INTO account VALUES (1, 'Ada', 10.5), (2, 'Bob', 0);
