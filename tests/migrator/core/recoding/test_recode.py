"""What becomes of the code around a statement: each case is a program before and after, and what is said of it."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

import pytest

from migrator.core.audit.codebase import Codebase
from migrator.core.progress import Silent
from migrator.core.python.modules import read_module
from migrator.core.recoding.edits import NewSource
from migrator.core.recoding.recode import Recoder, Recoding
from migrator.core.recoding.target import TARGETS
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.steps.definitions import Tables

SCHEMA = [
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, active INTEGER NOT NULL DEFAULT 1, score REAL)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT)",
]
SUPPORT_MODULE = TARGETS[Driver.PSYCOPG].support(coroutines=True)
HEAD = "import sqlite3\n\nconn = sqlite3.connect('app.db')\n"
AFTER = "import postgresql\n\nconn = postgresql.connect()\n"


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return Tables().read(SCHEMA, Silent())


def recode(source: str, definitions: Definitions, **others: str) -> Recoding:
    texts = {"app": source, **others}
    modules = [read_module(PurePosixPath(f"{name}.py"), textwrap.dedent(text)) for name, text in texts.items()]
    return Recoder(Codebase(modules), definitions, TARGETS[Driver.PSYCOPG]).recode()


def after(source: str, definitions: Definitions, **others: str) -> str:
    """The new source of the first file, or the old one where nothing changed."""
    return sources(recode(source, definitions, **others)).get("app.py", textwrap.dedent(source))


def sources(recoding: Recoding) -> dict[str, str]:
    """The new source of each file that changes."""
    written = [draft.write() for draft in recoding.drafts]
    return {item.path.as_posix(): item.new for item in written if isinstance(item, NewSource)}


# Statement and arguments before; after.
CALLS = [
    (
        'conn.execute("INSERT INTO notes (user_id, body) VALUES (?, ?)", (1, "x"))',
        'conn.execute("INSERT INTO notes (user_id, body) VALUES (%s, %s)", (1, "x"))',
    ),
    (
        'conn.execute("UPDATE users SET name = :name WHERE id = :id", {"name": "x", "id": 1})',
        'conn.execute("UPDATE users SET name = %(name)s WHERE id = %(id)s", {"name": "x", "id": 1})',
    ),
    (
        'conn.execute("UPDATE users SET active = ? WHERE id = ?", (True, 1))',
        'conn.execute("UPDATE users SET active = %s WHERE id = %s", (1, 1))',
    ),
    (
        'conn.execute("UPDATE users SET active = ? WHERE id = ?", (score > 3, 1))',
        'conn.execute("UPDATE users SET active = %s WHERE id = %s", (int(score > 3), 1))',
    ),
    (
        'conn.executemany("DELETE FROM notes WHERE id = ?", rows)',
        'postgresql.executemany(conn, "DELETE FROM notes WHERE id = %s", rows)',
    ),
    (
        'conn.cursor().executemany("DELETE FROM notes WHERE id = ?", rows)',
        'conn.cursor().executemany("DELETE FROM notes WHERE id = %s", rows)',
    ),
    (
        'conn.execute("DELETE FROM notes WHERE id = ?2 OR user_id = ?1 OR id = ?2", (1, 2))',
        'conn.execute("DELETE FROM notes WHERE id = %(p2)s OR user_id = %(p1)s OR id = %(p2)s", {"p1": 1, "p2": 2})',
    ),
    (
        'conn.execute("DELETE FROM notes WHERE id = ?2 OR user_id = ?1 OR id = ?2", both)',
        'conn.execute("DELETE FROM notes WHERE id = %(p2)s OR user_id = %(p1)s OR id = %(p2)s", '
        "{f'p{n}': value for n, value in enumerate(both, 1)})",
    ),
    (
        "conn.execute(f\"DELETE FROM notes WHERE id IN ({','.join('?' * len(ids))})\", ids)",
        'conn.execute("DELETE FROM notes WHERE id = ANY (%s)", [list(ids)])',
    ),
    (
        'conn.execute("DELETE FROM notes WHERE id IN (" + ",".join("?" * len(ids)) + ")", values)',
        'conn.execute("DELETE FROM notes WHERE id IN (" + ",".join(["%s"] * len(ids)) + ")", values)',
    ),
    (
        'conn.execute("DELETE FROM notes WHERE id IN (" + ",".join(["?"] * len(ids)) + ")", values)',
        'conn.execute("DELETE FROM notes WHERE id IN (" + ",".join(["%s"] * len(ids)) + ")", values)',
    ),
    (
        "conn.execute(f\"DELETE FROM notes WHERE body = '{body}'\")",
        'conn.execute("DELETE FROM notes WHERE body = %s", (str(body),))',
    ),
    ('conn.execute("PRAGMA foreign_keys = ON")', ""),
]


@pytest.mark.parametrize(("before", "expected"), CALLS)
def test_a_call_and_its_arguments(before: str, expected: str, definitions: Definitions) -> None:
    assert after(HEAD + before + "\n", definitions) == AFTER + expected + ("\n" if expected else "")


# What stands around the statements: a program before, and after.
PROGRAMS = {
    "the path and SQLite's options go": (
        """
        import sqlite3
        PATH = "app.db"
        def get():
            return sqlite3.connect(PATH, timeout=10, check_same_thread=False)
        """,
        """
        import postgresql
        PATH = "app.db"
        def get():
            return postgresql.connect()
        """,
    ),
    "without a transaction": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db", isolation_level=None)
        other = sqlite3.connect("app.db")
        other.isolation_level = None
        """,
        """
        import postgresql
        conn = postgresql.connect(autocommit=True)
        other = postgresql.connect()
        other.autocommit = True
        """,
    ),
    "rows by name": (
        """
        from sqlite3 import Row, connect
        conn = connect("app.db")
        conn.row_factory = Row
        def first(row: Row) -> str:
            return row["name"]
        """,
        """
        import postgresql
        conn = postgresql.connect()
        conn.row_factory = postgresql.row_factory
        def first(row: postgresql.Row) -> str:
            return row["name"]
        """,
    ),
    "rows of an own kind": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        conn.row_factory = lambda cursor, row: list(row)
        """,
        """
        import postgresql
        conn = postgresql.connect()
        conn.row_factory = postgresql.each_row(lambda cursor, row: list(row))
        """,
    ),
    "with commits and leaves the connection open": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        with conn:
            conn.execute("DELETE FROM notes")
        with sqlite3.connect("app.db") as own:
            own.execute("DELETE FROM notes")
        """,
        """
        import postgresql
        conn = postgresql.connect()
        with postgresql.transaction(conn):
            conn.execute("DELETE FROM notes")
        with postgresql.connect() as own:
            own.execute("DELETE FROM notes")
        """,
    ),
    "exceptions": (
        """
        import sqlite3 as sq
        conn = sq.connect("app.db")
        try:
            conn.commit()
        except sq.IntegrityError:
            raise
        except (ValueError, sq.OperationalError):
            raise
        """,
        """
        import psycopg
        import postgresql
        conn = postgresql.connect()
        try:
            conn.commit()
        except psycopg.IntegrityError:
            raise
        except (ValueError, psycopg.OperationalError, psycopg.ProgrammingError):
            raise
        """,
    ),
    "a statement whose failure is caught is undone alone": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        try:
            conn.execute("INSERT INTO notes (id) VALUES (?)", (1,))
        except sqlite3.IntegrityError:
            conn.execute("UPDATE notes SET body = NULL WHERE id = ?", (1,))
        """,
        """
        import psycopg
        import postgresql
        conn = postgresql.connect()
        try:
            postgresql.execute(conn, "INSERT INTO notes (id) VALUES (%s)", (1,))
        except psycopg.IntegrityError:
            conn.execute("UPDATE notes SET body = NULL WHERE id = %s", (1,))
        """,
    ),
    "the id of a new row": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def add(body):
            cur = conn.execute("INSERT INTO notes (body) VALUES (?)", (body,))
            return cur.lastrowid
        """,
        """
        import postgresql
        conn = postgresql.connect()
        def add(body):
            cur = conn.execute("INSERT INTO notes (body) VALUES (%s) RETURNING id", (body,))
            return postgresql.lastrowid(cur)
        """,
    ),
    "the id of a new row, by SQL": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def add(body):
            conn.execute("INSERT INTO notes (body) VALUES (?)", (body,))
            return conn.execute("SELECT last_insert_rowid()").fetchone()[0]
        """,
        """
        import postgresql
        conn = postgresql.connect()
        def add(body):
            inserted = conn.execute("INSERT INTO notes (body) VALUES (%s) RETURNING id", (body,))
            return inserted.fetchone()[0]
        """,
    ),
    "how many rows changed, by SQL": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def clear():
            conn.execute("DELETE FROM notes")
            return conn.execute("SELECT changes()").fetchone()[0]
        """,
        """
        import postgresql
        conn = postgresql.connect()
        def clear():
            changed = conn.execute("DELETE FROM notes")
            return changed.rowcount
        """,
    ),
    "a text that grows": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def find(name=None, limit=10):
            sql = "DELETE FROM notes WHERE id > 0"
            values = []
            if name:
                sql += " AND body = ?"
                values.append(name)
            return conn.execute(sql + " AND id < ?", (*values, limit))
        """,
        """
        import postgresql
        conn = postgresql.connect()
        def find(name=None, limit=10):
            sql = "DELETE FROM notes WHERE id > 0"
            values = []
            if name:
                sql += " AND body = %s"
                values.append(name)
            return conn.execute(sql + " AND id < %s", (*values, limit))
        """,
    ),
    "coroutines": (
        """
        import aiosqlite
        async def count(path):
            async with aiosqlite.connect(path) as db:
                db.row_factory = aiosqlite.Row
                cur = await db.cursor()
                await cur.execute("DELETE FROM notes WHERE id = ?", (1,))
                async with db.execute("DELETE FROM notes WHERE id = ?", (1,)) as cursor:
                    await cursor.fetchone()
                return await db.execute_fetchall("DELETE FROM notes WHERE id = ? RETURNING id", (1,))
        """,
        """
        import postgresql
        async def count(path):
            async with postgresql.connect_async() as db:
                db.row_factory = postgresql.row_factory
                cur = db.cursor()
                await cur.execute("DELETE FROM notes WHERE id = %s", (1,))
                async with await db.execute("DELETE FROM notes WHERE id = %s", (1,)) as cursor:
                    await cursor.fetchone()
                return await postgresql.execute_fetchall_async(db, "DELETE FROM notes WHERE id = %s RETURNING id", (1,))
        """,
    ),
    "decorators that give a connection": (
        """
        import sqlite3
        def connected(function):
            def wrapper(*args):
                with sqlite3.connect("app.db") as conn:
                    return function(conn, *args)
            return wrapper
        @connected
        def remove(conn, id):
            conn.execute("DELETE FROM notes WHERE id = ?", (id,))
        @connected
        def run(conn, sql, *values):
            return conn.execute(sql, values)
        run("DELETE FROM notes WHERE id = ? AND body = ?", 1, "x")
        """,
        """
        import postgresql
        def connected(function):
            def wrapper(*args):
                with postgresql.connect() as conn:
                    return function(conn, *args)
            return wrapper
        @connected
        def remove(conn, id):
            conn.execute("DELETE FROM notes WHERE id = %s", (id,))
        @connected
        def run(conn, sql, *values):
            return conn.execute(sql, values)
        run("DELETE FROM notes WHERE id = %s AND body = %s", 1, "x")
        """,
    ),
    "tables that classes name for what they inherit": (
        """
        import sqlite3
        class Base:
            table = None
            def __init__(self):
                self.conn = sqlite3.connect("app.db")
            def delete(self, id):
                self.conn.execute("DELETE FROM " + self.table + " WHERE id = ?", (id,))
        class Users(Base):
            table = "users"
        class Notes(Base):
            table = "notes"
        """,
        """
        import postgresql
        class Base:
            table = None
            def __init__(self):
                self.conn = postgresql.connect()
            def delete(self, id):
                self.conn.execute("DELETE FROM " + self.table + " WHERE id = %s", (id,))
        class Users(Base):
            table = "users"
        class Notes(Base):
            table = "notes"
        """,
    ),
    "what is in memory stays": (
        """
        import sqlite3
        cache = sqlite3.connect(":memory:")
        cache.execute("CREATE TABLE hits (n INTEGER)")
        cache.execute("INSERT INTO hits VALUES (?)", (1,))
        """,
        """
        import sqlite3
        cache = sqlite3.connect(":memory:")
        cache.execute("CREATE TABLE hits (n INTEGER)")
        cache.execute("INSERT INTO hits VALUES (?)", (1,))
        """,
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_what_stands_around_the_statements(case: str, definitions: Definitions) -> None:
    before, expected = (textwrap.dedent(text) for text in PROGRAMS[case])
    assert after(before, definitions) == expected


@pytest.mark.parametrize("case", PROGRAMS)
def test_a_second_run_changes_nothing(case: str, definitions: Definitions) -> None:
    once = after(PROGRAMS[case][0], definitions)
    assert after(once, definitions) == once


def test_what_was_left_is_said_again(definitions: Definitions) -> None:
    source = """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def find(column):
            return conn.execute("SELECT * FROM nowhere WHERE id = ?", (1,))
        """
    first = recode(source, definitions)
    assert [(item.rule, item.where) for item in first.findings] == [("no-table", "app.py:5")]
    again = recode(sources(first)["app.py"], definitions, postgresql=SUPPORT_MODULE)
    assert sources(again) == {}
    assert [(item.rule, item.where) for item in again.findings] == [("left-over", "app.py:5")]


def test_what_is_in_memory_at_times_is_said(definitions: Definitions) -> None:
    source = """
        import sqlite3
        class Store:
            def __init__(self, path="app.db"):
                self.conn = sqlite3.connect(path)
                self.conn.execute("DELETE FROM notes WHERE id = ?", (1,))
        Store(":memory:")
        """
    found = recode(source, definitions)
    assert ("other-database", "app.py:5") in [(item.rule, item.where) for item in found.findings]
    assert "self.conn = postgresql.connect()" in sources(found)["app.py"]


def test_another_file_stays(definitions: Definitions) -> None:
    source = """
        import sqlite3
        conn = sqlite3.connect("app.db")
        conn.execute("DELETE FROM notes WHERE id = ?", (1,))
        conn.execute("DELETE FROM users WHERE id = ?", (1,))
        other = sqlite3.connect("data/cache.db")
        other.execute("DELETE FROM hits WHERE id = ?", (1,))
        again = sqlite3.connect("app.db")
        """
    found = recode(source, definitions)
    assert [(item.rule, item.where) for item in found.findings] == [("other-database", "app.py:6")]
    assert (
        'sqlite3.connect("data/cache.db")\nother.execute("DELETE FROM hits WHERE id = ?", (1,))'
        in sources(found)["app.py"]
    )


def test_a_method_that_is_handed_over_keeps_its_place(definitions: Definitions) -> None:
    source = """
        import sqlite3
        from concurrent.futures import ThreadPoolExecutor
        conn = sqlite3.connect("app.db")
        pool = ThreadPoolExecutor()
        pool.submit(conn.execute, "DELETE FROM notes WHERE id = ?", (1,))
        pool.submit(conn.executescript, "DELETE FROM notes")
        run = conn.execute
        run("DELETE FROM notes WHERE id = ?", (2,))
        """
    found = recode(source, definitions)
    assert [(item.rule, item.where) for item in found.findings] == [("sqlite-api", "app.py:7")]
    new = sources(found)["app.py"]
    assert 'pool.submit(conn.execute, "DELETE FROM notes WHERE id = %s", (1,))' in new
    assert 'run("DELETE FROM notes WHERE id = %s", (2,))' in new
