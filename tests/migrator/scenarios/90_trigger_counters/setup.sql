-- Counters that triggers keep: counted up and down, or counted again. A reader expects them to be right after statements
-- of many rows, and when a foreign key deletes the rows that are counted. What sums up its own table cannot be carried.
CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT, comments INTEGER NOT NULL DEFAULT 0, likes INTEGER DEFAULT 0);
CREATE TABLE comment (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE);
CREATE TABLE likes (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES post (id));
CREATE TABLE ledger (id INTEGER PRIMARY KEY, amount INTEGER, balance INTEGER);
CREATE TRIGGER comment_in AFTER INSERT ON comment BEGIN
    UPDATE post SET comments = comments + 1 WHERE id = NEW.post_id;
END;
CREATE TRIGGER comment_out AFTER DELETE ON comment BEGIN
    UPDATE post SET comments = comments - 1 WHERE id = OLD.post_id;
END;
CREATE TRIGGER liked AFTER INSERT ON likes BEGIN
    UPDATE post SET likes = (SELECT count(*) FROM likes WHERE post_id = post.id) WHERE id = NEW.post_id;
END;
CREATE TRIGGER moved AFTER UPDATE ON likes BEGIN
    UPDATE post SET likes = (SELECT count(*) FROM likes WHERE likes.post_id = post.id)
    WHERE id IN (OLD.post_id, NEW.post_id);
END;
CREATE TRIGGER running AFTER INSERT ON ledger BEGIN
    UPDATE ledger SET balance = (SELECT sum(amount) FROM ledger) WHERE id = NEW.id;
END;
INSERT INTO post (id, title) VALUES (1, 'a'), (2, 'b');
INSERT INTO comment (post_id) VALUES (1), (1), (2);
INSERT INTO ledger (amount) VALUES (5), (6);
