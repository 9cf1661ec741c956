-- Triggers that refuse: the message is what a person reads, and the program catches an IntegrityError. What is refused
-- leaves nothing behind. RAISE(ROLLBACK) and RAISE(FAIL) take back more and less than PostgreSQL's errors.
CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL, beds INTEGER);
CREATE TABLE booking (id INTEGER PRIMARY KEY, room_id INTEGER REFERENCES room (id), since TEXT, until TEXT);
CREATE TRIGGER no_overlap BEFORE INSERT ON booking BEGIN
    SELECT CASE
        WHEN NEW.since >= NEW.until THEN RAISE(ABORT, 'it ends before it begins')
        WHEN EXISTS (SELECT 1 FROM booking WHERE room_id = NEW.room_id AND since < NEW.until AND NEW.since < until)
            THEN RAISE(ABORT, 'the room''s taken (100%)')
    END;
END;
CREATE TRIGGER keep_names BEFORE UPDATE OF name ON room WHEN NEW.name = '' BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER in_use BEFORE DELETE ON room BEGIN
    SELECT RAISE(ABORT, 'in use') FROM booking WHERE room_id = OLD.id;
END;
CREATE TRIGGER all_of_it BEFORE UPDATE OF beds ON room WHEN NEW.beds < 0 BEGIN SELECT RAISE(ROLLBACK, 'no beds'); END;
INSERT INTO room VALUES (1, 'Garden', 2), (2, 'Sea', 1);
INSERT INTO booking VALUES (1, 1, '2026-01-01', '2026-01-05');
