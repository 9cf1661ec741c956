"""An application that makes its tables itself: at its start, in a transaction, or as it grows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator import adapter
from tests.migrator import servers

from .both import Both, attempt

START = """
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    joined TEXT DEFAULT CURRENT_TIMESTAMP, points REAL DEFAULT 0.5);
CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY AUTOINCREMENT, author INTEGER NOT NULL REFERENCES users,
    body TEXT, CHECK (length(body) < 100));
CREATE INDEX IF NOT EXISTS posts_by_author ON posts (author);
CREATE VIEW IF NOT EXISTS counted AS SELECT author, count(*) AS posts FROM posts GROUP BY author;
"""
REFUSED = ("INSERT INTO users (name) VALUES ('USER 0')", "CREATE TABLE users (x)")


def test_an_application_starts_in_an_empty_database(each_database: str, tmp_path: Path) -> None:
    """And starts again, as often as it likes."""
    queries = (
        "SELECT id, name, points FROM users",
        "SELECT * FROM posts ORDER BY id",
        "SELECT * FROM counted ORDER BY author",
        "PRAGMA table_info(users)",
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    )

    def body(connection: Any) -> Any:
        for number in range(2):
            connection.executescript(START)
            with connection:
                author = connection.execute("INSERT INTO users (name) VALUES (?)", (f"user {number}",)).lastrowid
                connection.execute("INSERT INTO posts (author, body) VALUES (?, ?)", (author, "text"))
        refused = [attempt(connection, statement) for statement in REFUSED]
        return refused, [connection.execute(query).fetchall() for query in queries]

    with closing(sqlite3.connect(tmp_path / "app.db")) as file, closing(adapter.connect(each_database)) as connection:
        file.execute("PRAGMA foreign_keys = ON")
        assert body(connection) == body(file)


def test_what_exists_stays_as_it_is(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (something ELSE)")
        connection.execute("DROP TABLE IF EXISTS nothing")
        return connection.execute("SELECT * FROM orders ORDER BY id").fetchall(), attempt(
            connection, "DROP TABLE nothing"
        )

    both.same(body)


def test_a_definition_is_taken_back_with_its_transaction(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY, label TEXT)")
        connection.execute("ALTER TABLE orders ADD COLUMN note TEXT DEFAULT 'none'")
        found = [connection.execute("INSERT INTO extra (label) VALUES ('x')").lastrowid]
        found += [
            connection.execute("SELECT * FROM extra").fetchall(),
            connection.execute("SELECT note FROM orders").fetchall(),
        ]
        found.append(attempt(connection, "CREATE TABLE extra (y)"))
        connection.rollback()
        found += [attempt(connection, "SELECT * FROM extra"), attempt(connection, "SELECT note FROM orders")]
        with connection:
            connection.execute("CREATE TABLE extra (other REAL)")
            connection.execute("INSERT INTO extra VALUES (?)", (5,))
        return [*found, connection.execute("SELECT * FROM extra").fetchall()]

    both.same(body)


def test_columns_are_added(both: Both) -> None:
    def body(connection: Any) -> Any:
        before = connection.execute("SELECT * FROM orders WHERE id = 1").fetchall()
        connection.execute("ALTER TABLE orders ADD COLUMN done BOOLEAN NOT NULL DEFAULT 0")
        connection.execute("ALTER TABLE orders ADD parent INTEGER REFERENCES orders (id)")
        connection.execute("UPDATE orders SET done = ?, parent = 2 WHERE id = 1", (True,))
        refused = attempt(connection, "UPDATE orders SET parent = 77 WHERE id = 2")
        after = connection.execute("SELECT * FROM orders ORDER BY id")
        return before, [column[0] for column in after.description], after.fetchall(), refused

    both.same(body)


def test_tables_are_dropped(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute("DROP VIEW spent")
        connection.execute("DROP INDEX one_label")
        connection.execute("INSERT INTO orders (customer, label) VALUES (1, 'one')")
        connection.execute("DROP TABLE orders")
        return attempt(connection, "SELECT * FROM orders"), attempt(connection, "SELECT * FROM spent")

    both.same(body)


def test_what_was_made_is_known_to_who_comes_later(both: Both, shop: Any) -> None:
    """The comments hold it, whatever process asks."""
    with closing(adapter.connect(both.url)) as connection:
        connection.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY, at TIME, kind TEXT COLLATE NOCASE UNIQUE)")
        connection.execute("CREATE INDEX extra_by_time ON extra (at)")
        with connection:
            connection.execute("INSERT INTO extra (at, kind) VALUES (?, 'a')", ("10:00:00",))
    from migrator.adapter import reading

    reading._shared.clear()
    with closing(adapter.connect(both.url)) as connection:
        connection.execute("CREATE INDEX IF NOT EXISTS extra_by_time ON extra (at)")
        assert connection.execute("SELECT * FROM extra WHERE kind = 'A'").fetchall() == [(1, "10:00:00", "a")]
        assert connection.execute("PRAGMA table_info(extra)").fetchall()[2][:3] == (2, "kind", "TEXT")


def test_tables_that_somebody_else_has_made_or_changed_are_found(both: Both) -> None:
    with closing(adapter.connect(both.url)) as connection, psycopg.connect(both.url, autocommit=True) as other:
        assert connection.execute("SELECT * FROM orders WHERE id = 1").fetchone() == (1, 1, "one", 1, 9.5)
        other.execute("CREATE TABLE theirs (id bigint PRIMARY KEY, what text, at timestamptz, ok boolean)")
        other.execute("INSERT INTO theirs VALUES (1, 'x', '2026-01-01 10:00+02', true)")
        assert connection.execute("SELECT * FROM theirs").fetchall() == [(1, "x", "2026-01-01 08:00:00", 1)]
        other.execute("ALTER TABLE orders ALTER COLUMN label TYPE varchar(20), ADD COLUMN more integer DEFAULT 3")
        assert connection.execute("SELECT more FROM orders WHERE id = 1").fetchone() == (3,)
        assert connection.execute("SELECT * FROM orders WHERE id = 1").fetchone() == (1, 1, "one", 1, 9.5, 3)
        other.execute("DROP TABLE theirs")
        with pytest.raises(sqlite3.OperationalError, match="no such table: theirs"):
            connection.execute("SELECT * FROM theirs")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE TEMP TABLE t (x)", "statement"),
        ("CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM orders; END", "trigger"),
        ("ALTER TABLE orders RENAME TO other", "statement"),
        ("ALTER TABLE orders RENAME COLUMN label TO other", "statement"),
        ("CREATE TABLE copied AS SELECT * FROM orders", "definition"),
        ("PRAGMA user_version", "pragma"),
        ("PRAGMA integrity_check", "pragma"),
        ("SELECT json_array(x'00') FROM orders", "function"),
        ("ATTACH 'x.db' AS x", "statement"),
        ("SELECT * FROM orders, sqlite_master", "catalog"),
    ],
)
def test_all_else_is_declined_with_its_rule(unchanged: Both, statement: str, rule: str) -> None:
    with closing(adapter.connect(unchanged.url)) as connection:
        with pytest.raises((sqlite3.NotSupportedError, sqlite3.OperationalError), match=rf"\({rule}\)"):
            connection.execute(statement)
        assert not connection.in_transaction
        assert len(connection.execute("SELECT * FROM orders").fetchall()) == 3


def test_settings_do_nothing_and_maintenance_is_left_to_the_server(unchanged: Both) -> None:
    with closing(adapter.connect(unchanged.url)) as connection:
        for statement in ("PRAGMA synchronous = OFF", "PRAGMA cache_size(-2000)", "VACUUM", "ANALYZE", "REINDEX"):
            assert connection.execute(statement).fetchall() == []
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)


def test_the_pack_is_asked_for_where_it_lacks(both: Both, embedded_server: servers.Server) -> None:
    from tests.migrator.core.test_sqlite_compat import PACK

    query = "SELECT date(since, '+1 month') FROM customers WHERE id = 1"
    with closing(adapter.connect(both.url)) as connection:
        with pytest.raises(sqlite3.NotSupportedError, match="rewrite functions"):
            connection.execute(query.replace("since", "'2026-01-31'"))
        with psycopg.connect(both.url, autocommit=True) as other:
            other.execute(PACK.encode())
        [(day,)] = connection.execute(query.replace("since", "'2026-01-31'")).fetchall()
        assert day == "2026-03-03"


def test_a_schema_has_a_version(each_database: str, tmp_path: Path) -> None:
    """Which is kept or taken back with the tables, and seen by all who connect."""

    def body(connect: Any) -> Any:
        with closing(connect()) as one, closing(connect()) as other:
            found = [one.execute("PRAGMA user_version").fetchall()]
            one.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
            one.execute("PRAGMA user_version = 3")
            one.execute("BEGIN")
            one.execute("CREATE TABLE b (id INTEGER PRIMARY KEY)")
            cursor = one.execute("PRAGMA main.user_version(4)")
            found += [cursor.description, one.execute("PRAGMA user_version").fetchall(), one.in_transaction]
            one.rollback()
            cursor = one.execute("PRAGMA user_version")
            found += [cursor.description, cursor.fetchall(), other.execute("PRAGMA user_version").fetchone()]
            one.executescript("BEGIN; PRAGMA user_version = -7; COMMIT")
            found.append(other.execute("PRAGMA user_version").fetchone())
            names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        with closing(connect()) as again:
            return [*found, again.execute("PRAGMA user_version").fetchone(), again.execute(names).fetchall()]

    expected = body(lambda: sqlite3.connect(tmp_path / "app.db"))
    assert body(lambda: adapter.connect(each_database)) == expected


def test_the_version_that_a_file_had_is_not_guessed(both: Both) -> None:
    with closing(adapter.connect(both.url)) as connection:
        with pytest.raises(sqlite3.NotSupportedError, match="PRAGMA user_version = N"):
            connection.execute("PRAGMA user_version")
        with pytest.raises(sqlite3.NotSupportedError, match="32 bits"):
            connection.execute("PRAGMA user_version = x")
        connection.execute("PRAGMA user_version = 12")
    with closing(adapter.connect(both.url)) as connection:
        assert connection.execute("PRAGMA user_version").fetchall() == [(12,)]
