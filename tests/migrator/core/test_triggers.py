"""Triggers on both engines: the same statements leave the same rows behind, or fail on both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.migrator import servers
from tests.migrator.core.fired import DECLINED, EQUAL, FAILED, REFUSED, fired

TABLES = """
CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL, n INTEGER NOT NULL DEFAULT 0, rev INTEGER DEFAULT 0,
                    touched TEXT);
CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts (id) ON DELETE CASCADE, body TEXT);
CREATE TABLE tags (name TEXT PRIMARY KEY, hits INTEGER, post_id INTEGER REFERENCES posts (id) ON DELETE SET NULL)
    WITHOUT ROWID;
CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT, who INTEGER, old TEXT, new TEXT);
CREATE VIEW titles AS SELECT id, title, n FROM posts;
"""
ROWS = [
    "INSERT INTO posts (id, title, n) VALUES (1, 'a', 2), (2, 'b', 1), (3, 'c', 0)",
    "INSERT INTO comments (id, post_id, body) VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, NULL)",
    "INSERT INTO tags (name, hits, post_id) VALUES ('red', 1, 1), ('blue', NULL, 2), ('none', 3, NULL)",
]
STATEMENTS = [
    "INSERT INTO posts (id, title) VALUES (10, 'ten')",
    "INSERT INTO posts (id, title, n) VALUES (11, 'eleven', 1), (12, 'twelve', -3), (13, '', 2)",
    "INSERT INTO posts (id, title) SELECT id + 100, title || '!' FROM posts",
    "INSERT INTO posts (id, title) VALUES (20, 'a'), (1, 'again')",
    "UPDATE posts SET title = title || '?' WHERE id = 1",
    "UPDATE posts SET title = 'same'",
    "UPDATE posts SET n = n + 1",
    "UPDATE posts SET n = n + 1 WHERE id > 1 RETURNING id, n",
    "UPDATE posts SET title = NULL WHERE id = 2",
    "UPDATE posts SET id = id + 1000 WHERE id = 3",
    "UPDATE posts SET id = id - 1 WHERE id > 10",
    "INSERT INTO posts (id, title) VALUES (2, 'two') ON CONFLICT (id) DO UPDATE SET title = excluded.title",
    "INSERT INTO posts (id, title) VALUES (2, 'two'), (40, 'forty') ON CONFLICT DO NOTHING",
    "INSERT OR IGNORE INTO posts (id, title) VALUES (2, 'two'), (41, 'forty-one')",
    "INSERT INTO comments (id, post_id, body) VALUES (50, 1, 'new'), (51, 2, 'newer'), (52, 1, 'newest')",
    "INSERT INTO comments (id, post_id) VALUES (60, 999)",
    "UPDATE comments SET post_id = 2 WHERE id < 3",
    "UPDATE comments SET body = body || '.'",
    "DELETE FROM comments WHERE id = 1",
    "DELETE FROM comments WHERE post_id IN (SELECT id FROM posts WHERE n > 0)",
    "DELETE FROM posts WHERE id = 1",
    "INSERT INTO tags (name, hits) VALUES ('green', 5)",
    "UPDATE tags SET hits = hits + 1",
    "DELETE FROM posts",
    "DELETE FROM tags",
    "DELETE FROM log",
]
AUDIT = """
CREATE TRIGGER a_ins AFTER INSERT ON posts BEGIN
    INSERT INTO log (what, who, new) VALUES ('insert', NEW.id, NEW.title); END;
CREATE TRIGGER a_upd AFTER UPDATE ON posts WHEN OLD.title IS NOT NEW.title BEGIN
    INSERT INTO log (what, who, old, new) VALUES ('update', NEW.rowid, OLD.title, NEW.title); END;
CREATE TRIGGER a_del AFTER DELETE ON posts BEGIN
    INSERT INTO log (what, who, old) VALUES ('gone', OLD.id, OLD.title); END;
"""
TOUCH = """CREATE TRIGGER touch AFTER UPDATE ON posts FOR EACH ROW BEGIN
    UPDATE posts SET touched = 'at ' || NEW.title, rev = rev + 1 WHERE id = OLD.id; END;"""
COUNTERS = """
CREATE TRIGGER c_ins AFTER INSERT ON comments BEGIN UPDATE posts SET n = n + 1 WHERE id = NEW.post_id; END;
CREATE TRIGGER c_del AFTER DELETE ON comments BEGIN UPDATE posts SET n = n - 1 WHERE id = OLD.post_id; END;
CREATE TRIGGER c_upd AFTER UPDATE OF post_id ON comments WHEN NEW.post_id <> OLD.post_id BEGIN
    UPDATE posts SET n = n - 1 WHERE id = OLD.post_id;
    UPDATE posts SET n = n + 1 WHERE id = NEW.post_id;
END;
"""
RECOUNT = """
CREATE TRIGGER r_ins AFTER INSERT ON comments BEGIN
    UPDATE posts SET n = (SELECT count(*) FROM comments WHERE post_id = NEW.post_id) WHERE id = NEW.post_id; END;
CREATE TRIGGER r_del AFTER DELETE ON comments BEGIN
    UPDATE posts SET n = (SELECT count(*) FROM comments WHERE post_id = posts.id) WHERE posts.id = OLD.post_id; END;
CREATE TRIGGER r_upd AFTER UPDATE OF post_id ON comments BEGIN
    UPDATE posts SET n = (SELECT COUNT(*) FROM comments WHERE comments.post_id = posts.id AND body IS NOT NULL)
    WHERE id IN (old.post_id, new.post_id); END;
"""
GUARDS = """
CREATE TRIGGER g_empty BEFORE INSERT ON posts BEGIN SELECT RAISE(ABORT, 'it''s 100% "empty"') WHERE NEW.title = ''; END;
CREATE TRIGGER g_low BEFORE UPDATE OF n ON posts WHEN NEW.n > 3 BEGIN
    SELECT CASE WHEN (SELECT count(*) FROM comments WHERE post_id = NEW.id) > 1 THEN RAISE(ABORT, 'many')
                WHEN NEW.id = 2 THEN RAISE(IGNORE) END; END;
CREATE TRIGGER g_del BEFORE DELETE ON tags BEGIN
    SELECT RAISE(ABORT, 'in use') FROM posts WHERE posts.id = OLD.post_id; END;
CREATE TRIGGER g_all AFTER UPDATE ON tags BEGIN
    SELECT CASE NEW.hits WHEN 4 THEN RAISE(ABORT, 'four') ELSE NULL END; END;
CREATE TRIGGER g_full BEFORE INSERT ON posts WHEN (SELECT count(*) FROM posts) > 5 BEGIN SELECT RAISE(IGNORE); END;
"""
BEFORE = """
CREATE TRIGGER b_upd BEFORE UPDATE ON posts BEGIN
    INSERT INTO log (what, who, old, new) VALUES ('before', OLD.id, OLD.title, NEW.title);
    UPDATE tags SET hits = hits + 1 WHERE post_id = OLD.id;
    DELETE FROM tags WHERE hits > 9 AND post_id = OLD.id;
END;
CREATE TRIGGER b_tag AFTER UPDATE ON tags BEGIN INSERT INTO log (what, who) VALUES (NEW.name, NEW.hits); END;
"""
VIEWS = """
CREATE TRIGGER v_ins INSTEAD OF INSERT ON titles BEGIN
    INSERT INTO posts (id, title, n) VALUES (NEW.id, upper(NEW.title), COALESCE(NEW.n, 7));
    INSERT INTO log (what, who) VALUES ('through', NEW.id); END;
CREATE TRIGGER v_upd INSTEAD OF UPDATE ON titles WHEN NEW.title <> 'no' BEGIN
    UPDATE posts SET title = NEW.title WHERE id = OLD.id; END;
CREATE TRIGGER v_del INSTEAD OF DELETE ON titles BEGIN DELETE FROM posts WHERE id = OLD.id; END;
"""
THROUGH = [
    "INSERT INTO titles (id, title) VALUES (30, 'thirty')",
    "INSERT INTO titles VALUES (31, 'one', 5), (32, 'two', NULL)",
    "UPDATE titles SET title = title || id",
    "UPDATE titles SET title = 'no' WHERE id = 2",
    "UPDATE titles SET title = 'x' WHERE id IN (SELECT id FROM posts WHERE n > 1)",
    "DELETE FROM titles WHERE id > 30",
    "DELETE FROM titles WHERE n > 1",
]
NAMES = """CREATE TRIGGER "Strange $trigger$ 'name'" AFTER UPDATE ON tags BEGIN
    INSERT INTO log (what, old) VALUES ('$trigger$ ' || NEW.name, 'new.name'); END;"""


@pytest.fixture(scope="module", params=["embedded", "debian"])
def postgres(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("triggers", "statements"),
    [
        pytest.param(AUDIT, STATEMENTS, id="audit"),
        pytest.param(TOUCH, STATEMENTS, id="touch"),
        pytest.param(AUDIT + TOUCH, STATEMENTS, id="audit, then touch"),
        pytest.param(TOUCH + AUDIT, STATEMENTS, id="touch, then audit"),
        pytest.param(COUNTERS, STATEMENTS, id="counters"),
        pytest.param(COUNTERS + TOUCH + AUDIT, STATEMENTS, id="counters, touch, audit"),
        pytest.param(RECOUNT, STATEMENTS, id="recount"),
        pytest.param(GUARDS, STATEMENTS, id="guards"),
        pytest.param(GUARDS + TOUCH, STATEMENTS, id="guards and touch"),
        pytest.param(BEFORE, STATEMENTS, id="before"),
        pytest.param(VIEWS, [*THROUGH, *STATEMENTS], id="views"),
        pytest.param(VIEWS + AUDIT, [*THROUGH, *STATEMENTS], id="views and audit"),
        pytest.param(NAMES, STATEMENTS, id="names"),
    ],
)
def test_the_same_rows(postgres: psycopg.Connection[Any], triggers: str, statements: list[str]) -> None:
    with fired(postgres, TABLES + triggers, ROWS) as both:
        assert both.declined == {}
        found = {sql: both.agree(sql) for sql in statements}
    print(found)
    assert list(found.values()).count(EQUAL) > len(statements) / 2
    assert {sql for sql, what in found.items() if what in (DECLINED, REFUSED)} == set()
    assert FAILED in found.values()


def test_the_newest_fires_first(postgres: psycopg.Connection[Any]) -> None:
    names = ["m", "z", "a", "Ä", "1", "Z z"]
    triggers = "".join(
        f"""CREATE TRIGGER "{name}" AFTER UPDATE ON tags BEGIN INSERT INTO log (what) VALUES ('{name}'); END;\n"""
        for name in names
    )
    with fired(postgres, TABLES + triggers, ROWS) as both:
        assert both.declined == {}
        assert both.agree("UPDATE tags SET hits = 5 WHERE name = 'red'") == EQUAL
        assert [row[0] for row in postgres.execute("SELECT what FROM log ORDER BY id")] == names[::-1]


LEFT = [
    ("AFTER INSERT ON posts BEGIN UPDATE posts SET n = 0; END", "other rows of the table"),
    ("AFTER INSERT ON posts BEGIN UPDATE posts SET n = 0 WHERE title = NEW.title; END", "other rows of the table"),
    ("AFTER UPDATE ON posts BEGIN UPDATE posts SET id = 5 WHERE id = NEW.id; END", "other rows of the table"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO log (who) SELECT count(*) FROM posts; END", "reads the table"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO log (who) SELECT count(*) FROM titles; END", "reads the table"),
    ("AFTER INSERT ON posts BEGIN DELETE FROM posts WHERE id < NEW.id - 10; END", "other rows of the table"),
    ("BEFORE UPDATE ON posts BEGIN UPDATE posts SET n = 1 WHERE id = NEW.id; END", "before the row is changed"),
    ("BEFORE INSERT ON posts BEGIN INSERT INTO log (who) VALUES (NEW.id); END", "NEW.id"),
    ("BEFORE INSERT ON posts BEGIN INSERT INTO log (who) VALUES (NEW.rowid); END", "NEW.rowid"),
    ("AFTER DELETE ON posts BEGIN DELETE FROM comments WHERE post_id = OLD.id; END", "a foreign key passes"),
    ("BEFORE DELETE ON posts BEGIN UPDATE tags SET hits = 0; END", "a foreign key passes"),
    ("AFTER DELETE ON comments BEGIN UPDATE posts SET n = n - 1; END", "a foreign key passes"),
    ("AFTER DELETE ON comments BEGIN INSERT INTO log (who) SELECT count(*) FROM posts; END", "a foreign key passes"),
    ("BEFORE DELETE ON comments BEGIN SELECT RAISE(IGNORE); END", "a foreign key passes"),
    ("AFTER DELETE ON comments BEGIN INSERT OR IGNORE INTO log (id) VALUES (OLD.id); END", "no notice of the OR"),
    ("AFTER INSERT ON posts BEGIN SELECT RAISE(IGNORE); END", "RAISE(IGNORE)"),
    ("AFTER INSERT ON posts BEGIN SELECT RAISE(FAIL, 'x'); END", "RAISE(FAIL)"),
    ("AFTER INSERT ON posts BEGIN SELECT RAISE(ROLLBACK, 'x'); END", "RAISE(ROLLBACK)"),
    ("AFTER INSERT ON posts BEGIN SELECT NEW.id; END", "not one RAISE()"),
    ("AFTER INSERT ON posts BEGIN SELECT CASE WHEN NEW.n THEN 1 END; END", "raises nothing"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO log (what) VALUES (strftime('%s', 'now')); END", "functions of SQLite's"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO log (what) VALUES (mine(NEW.n)); END", "mine"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO missing VALUES (NEW.id); END", "no table missing"),
    ("AFTER INSERT ON posts BEGIN INSERT INTO tags (hits) VALUES (NEW.title); END", "stored in"),
    ("INSTEAD OF UPDATE OF title ON titles BEGIN DELETE FROM log; END", "INSTEAD OF UPDATE OF"),
    ("INSTEAD OF INSERT ON titles BEGIN INSERT INTO titles (id) VALUES (NEW.id + 1); END", "its own view"),
]


@pytest.mark.parametrize(("text", "reason"), LEFT)
def test_what_could_be_another_stays_behind(postgres: psycopg.Connection[Any], text: str, reason: str) -> None:
    with fired(postgres, f"{TABLES}CREATE TRIGGER one {text};") as both:
        assert reason in both.declined.get("one", "carried"), both.declined
        assert not both.carried


@pytest.mark.parametrize(
    ("triggers", "statement"),
    [
        (AUDIT, "INSERT OR REPLACE INTO posts (id, title) VALUES (1, 'x')"),
        (AUDIT, "UPDATE posts SET n = (SELECT count(*) FROM log)"),
        (AUDIT, "INSERT INTO posts (id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET n = (SELECT 1 FROM log)"),
        (AUDIT, "DELETE FROM posts RETURNING (SELECT count(*) FROM log)"),
        (VIEWS, "INSERT INTO titles (id, title) VALUES (1, 'x') RETURNING id"),
        (VIEWS, "INSERT OR IGNORE INTO titles (id, title) VALUES (1, 'x')"),
        (VIEWS, "INSERT INTO titles (id, title) VALUES ('7', 'x')"),
        ("", "DELETE FROM titles"),
        (
            "CREATE TRIGGER k AFTER INSERT ON posts BEGIN INSERT OR IGNORE INTO tags (name) VALUES (NEW.title); END;",
            "INSERT OR ABORT INTO posts (id, title) VALUES (9, 'red')",
        ),
    ],
)
def test_statements_that_would_fire_others_are_declined(
    postgres: psycopg.Connection[Any], triggers: str, statement: str
) -> None:
    with fired(postgres, TABLES + triggers, ROWS) as both:
        assert both.agree(statement) == DECLINED
