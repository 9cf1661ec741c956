"""What becomes of a program for SQLAlchemy and asyncpg, where that differs from psycopg, and when nothing does."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

import pytest

from migrator.core.audit.codebase import Codebase
from migrator.core.progress import Silent
from migrator.core.python.modules import read_module
from migrator.core.recoding.edits import NewSource
from migrator.core.recoding.recode import Recoder, Recoding
from migrator.core.recoding.target import TARGETS, target_of
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.steps.definitions import Tables

SCHEMA = [
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, active INTEGER NOT NULL DEFAULT 1, score REAL)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT)",
]
SYNCHRONOUS = "import sqlite3\n\nconn = sqlite3.connect('app.db')\n"
COROUTINES = "import aiosqlite\n\nasync def main():\n    db = await aiosqlite.connect('app.db')\n    "


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return Tables().read(SCHEMA, Silent())


def recode(source: str, definitions: Definitions, driver: Driver, **others: str) -> Recoding:
    texts = {"app": source, **others}
    modules = [read_module(PurePosixPath(f"{name}.py"), textwrap.dedent(text)) for name, text in texts.items()]
    return Recoder(Codebase(modules), definitions, TARGETS[driver]).recode()


def sources(recoding: Recoding) -> dict[str, str]:
    written = [draft.write() for draft in recoding.drafts]
    return {item.path.as_posix(): item.new for item in written if isinstance(item, NewSource)}


def after(source: str, definitions: Definitions, driver: Driver) -> str:
    return sources(recode(source, definitions, driver)).get("app.py", textwrap.dedent(source))


# Statement and arguments before; for SQLAlchemy; for asyncpg.
CALLS = {
    "values at the call": (
        'execute("INSERT INTO notes (user_id, body) VALUES (?, ?)", (1, "x"))',
        'execute("INSERT INTO notes (user_id, body) VALUES (:p1, :p2)", {"p1": 1, "p2": "x"})',
        'execute("INSERT INTO notes (user_id, body) VALUES ($1, $2)", (1, "x"))',
    ),
    "one value": (
        'execute("DELETE FROM notes WHERE id = ?", (1,))',
        'execute("DELETE FROM notes WHERE id = :p1", {"p1": 1})',
        'execute("DELETE FROM notes WHERE id = $1", (1,))',
    ),
    "values from elsewhere": (
        "execute(\"DELETE FROM notes WHERE id = ? AND body LIKE '100%'\", values)",
        "execute(\"DELETE FROM notes WHERE id = %s AND body ILIKE '100%%'\", values)",
        "execute(\"DELETE FROM notes WHERE id = $1 AND body ILIKE '100%'\", values)",
    ),
    "a dict": (
        'execute("UPDATE users SET name = :name WHERE id = :id", {"id": 1, "name": "x"})',
        'execute("UPDATE users SET name = :name WHERE id = :id", {"id": 1, "name": "x"})',
        'execute("UPDATE users SET name = $1 WHERE id = $2", ("x", 1))',
    ),
    "a dict from elsewhere": (
        'execute("UPDATE users SET name = :name WHERE id = :id", values)',
        'execute("UPDATE users SET name = :name WHERE id = :id", values)',
        'execute("UPDATE users SET name = $1 WHERE id = $2", postgresql.in_order(values, "name", "id"))',
    ),
    "a dict with more in it": (
        'execute("UPDATE users SET name = :name WHERE id = :id", {**values, "id": 1})',
        'execute("UPDATE users SET name = :name WHERE id = :id", {**values, "id": 1})',
        'execute("UPDATE users SET name = $1 WHERE id = $2", postgresql.in_order({**values, "id": 1}, "name", "id"))',
    ),
    "one value twice": (
        'execute("DELETE FROM notes WHERE id = ?1 OR user_id = ?1", (1,))',
        'execute("DELETE FROM notes WHERE id = :p1 OR user_id = :p1", {"p1": 1})',
        'execute("DELETE FROM notes WHERE id = $1 OR user_id = $1", (1,))',
    ),
    "a bool for a number": (
        'execute("UPDATE users SET active = ? WHERE id = ?", (n > 3, 1))',
        'execute("UPDATE users SET active = :p1 WHERE id = :p2", {"p1": int(n > 3), "p2": 1})',
        'execute("UPDATE users SET active = $1 WHERE id = $2", (int(n > 3), 1))',
    ),
    "a list": (
        "execute(f\"DELETE FROM notes WHERE user_id = ? AND id IN ({','.join('?' * len(ids))})\", (1, *ids))",
        'execute("DELETE FROM notes WHERE user_id = :p1 AND id = ANY (:p2)", {"p1": 1, "p2": list(ids)})',
        'execute("DELETE FROM notes WHERE user_id = $1 AND id = ANY ($2)", (1, list(ids)))',
    ),
    "nothing but a list": (
        "execute(f\"DELETE FROM notes WHERE id IN ({','.join('?' * len(ids))})\", ids)",
        'execute("DELETE FROM notes WHERE id = ANY (:p1)", {"p1": list(ids)})',
        'execute("DELETE FROM notes WHERE id = ANY ($1)", [list(ids)])',
    ),
    "a value in the text": (
        "execute(f\"DELETE FROM notes WHERE body = '{body}' AND id = ?\", (1,))",
        'execute("DELETE FROM notes WHERE body = :p1 AND id = :p2", {"p1": str(body), "p2": 1})',
        'execute("DELETE FROM notes WHERE body = $1 AND id = $2", (str(body), 1))',
    ),
    "a table in the text": (
        "execute(f\"DELETE FROM {table} WHERE id = ? AND body LIKE '%x'\", (1,))",
        "execute(f\"DELETE FROM {table} WHERE id = %s AND body LIKE '%%x'\", (1,))",
        "execute(postgresql.numbered(f\"DELETE FROM {table} WHERE id = %s AND body LIKE '%%x'\"), (1,))",
    ),
    "a colon in a literal": (
        "execute(\"DELETE FROM notes WHERE body = ' :p1' AND id = ?\", (1,))",
        'execute("DELETE FROM notes WHERE body = E\' \\\\x3ap1\' AND id = :p1", {"p1": 1})',
        "execute(\"DELETE FROM notes WHERE body = ' :p1' AND id = $1\", (1,))",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_call_for_sqlalchemy(case: str, definitions: Definitions) -> None:
    before, expected, _ = CALLS[case]
    new = after(f"{SYNCHRONOUS}conn.{before}\n", definitions, Driver.SQLALCHEMY)
    assert new == f"import postgresql\n\nconn = postgresql.connect()\nconn.{expected}\n"


@pytest.mark.parametrize("case", CALLS)
def test_a_call_for_asyncpg(case: str, definitions: Definitions) -> None:
    before, _, expected = CALLS[case]
    new = after(f"{COROUTINES}await db.{before}\n", definitions, Driver.ASYNCPG)
    head = "import postgresql\n\nasync def main():\n    db = await postgresql.connect_async()\n    "
    assert new == f"{head}await db.{expected}\n"


GROWING = """
    import aiosqlite
    BASE = "DELETE FROM notes WHERE user_id = ?"
    async def clear(user, body=None):
        async with aiosqlite.connect("app.db") as db:
            sql, values = BASE, [user]
            if body:
                sql += " AND body = ?"
                values.append(body)
            await db.execute(sql + " AND id > ?", (*values, 5))
            await db.execute(BASE, (user,))
            await db.execute("DELETE FROM users WHERE id = ?", (user,))
    """


def test_a_text_that_grows_is_counted_when_it_is_sent(definitions: Definitions) -> None:
    """And so is who shares a part of it; a statement of its own has numbers."""
    new = after(GROWING, definitions, Driver.ASYNCPG)
    assert 'BASE = "DELETE FROM notes WHERE user_id = %s"' in new
    assert 'sql += " AND body = %s"' in new
    assert 'await db.execute(postgresql.numbered(sql + " AND id > %s"), (*values, 5))' in new
    assert "await db.execute(postgresql.numbered(BASE), (user,))" in new
    assert 'await db.execute("DELETE FROM users WHERE id = $1", (user,))' in new


def test_a_text_that_grows_goes_to_sqlalchemys_driver(definitions: Definitions) -> None:
    new = after(GROWING, definitions, Driver.SQLALCHEMY)
    assert 'await db.execute(sql + " AND id > %s", (*values, 5))' in new
    assert "await db.execute(BASE, (user,))" in new
    assert 'await db.execute("DELETE FROM users WHERE id = :p1", {"p1": user})' in new


def test_names_in_a_text_that_grows_have_no_number_for_asyncpg(definitions: Definitions) -> None:
    source = """
        import aiosqlite
        async def clear(values):
            async with aiosqlite.connect("app.db") as db:
                sql = "DELETE FROM notes WHERE id > 0"
                if "body" in values:
                    sql += " AND body = :body"
                await db.execute(sql + " AND user_id = :user", values)
        """
    found = recode(source, definitions, Driver.ASYNCPG)
    assert [(item.rule, item.where) for item in found.findings] == [("arguments", "app.py:8")]
    assert ":body" in sources(found)["app.py"]
    found = recode(source, definitions, Driver.SQLALCHEMY)
    assert found.findings == ()
    assert 'await db.execute(sql + " AND user_id = :user", values)' in sources(found)["app.py"]


ROWS = """
    import aiosqlite
    SQL = "INSERT INTO notes (user_id, body) VALUES (:user, :body)"
    async def add(rows, pairs):
        async with aiosqlite.connect("app.db") as db:
            await db.executemany(SQL, rows)
            await db.executemany("INSERT INTO notes (user_id, body) VALUES (?, ?)", [(1, body) for body in pairs])
            await db.executemany("INSERT INTO users (name) VALUES (?)", pairs)
    """


def test_many_rows(definitions: Definitions) -> None:
    new = after(ROWS, definitions, Driver.ASYNCPG)
    assert 'SQL, [postgresql.in_order(row, "user", "body") for row in rows])' in new
    assert '"INSERT INTO notes (user_id, body) VALUES ($1, $2)", [(1, body) for body in pairs])' in new
    assert '"INSERT INTO users (name) VALUES ($1)", pairs)' in new
    new = after(ROWS, definitions, Driver.SQLALCHEMY)
    assert "(db, SQL, rows)" in new
    assert '"INSERT INTO notes (user_id, body) VALUES (:p1, :p2)", [{"p1": 1, "p2": body} for body in pairs])' in new
    assert '"INSERT INTO users (name) VALUES (%s)", pairs)' in new


ALTERNATIVES = """
    import aiosqlite
    async def find(by_name, values):
        async with aiosqlite.connect("app.db") as db:
            sql = "DELETE FROM users WHERE name = :name" if by_name else "DELETE FROM users WHERE id = :id"
            await db.execute(sql, values)
    """


def test_variants_with_other_values_have_no_order(definitions: Definitions) -> None:
    found = recode(ALTERNATIVES, definitions, Driver.ASYNCPG)
    assert [(item.rule, item.where) for item in found.findings] == [("arguments", "app.py:6")]
    assert "await db.execute(sql, values)" in after(ALTERNATIVES, definitions, Driver.SQLALCHEMY)


def test_a_function_that_passes_sql_on_gets_values_in_order(definitions: Definitions) -> None:
    source = """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def run(sql, values=()):
            return conn.execute(sql, tuple(values))
        def many(sql, *values):
            return conn.execute(sql, values)
        run("DELETE FROM notes WHERE id = ?", (1,))
        run("DELETE FROM notes WHERE body LIKE '100%'")
        many("DELETE FROM notes WHERE id = ? AND user_id = ?", 1, 2)
        """
    new = after(source, definitions, Driver.SQLALCHEMY)
    assert 'run("DELETE FROM notes WHERE id = %s", (1,))' in new
    assert "run(\"DELETE FROM notes WHERE body ILIKE '100%%'\")" in new
    assert 'many("DELETE FROM notes WHERE id = %s AND user_id = %s", 1, 2)' in new


def test_a_value_that_is_needed_twice_has_a_name(definitions: Definitions) -> None:
    """max(score, ?) of SQLite asks for each of its values twice."""
    source = f'{SYNCHRONOUS}conn.execute("UPDATE users SET score = max(score, ?) WHERE id = ?", values)\n'
    new = after(source, definitions, Driver.SQLALCHEMY)
    assert ":p1" in new
    assert new.endswith("{f'p{n}': value for n, value in enumerate(values, 1)})\n")


def test_arguments_over_several_lines_keep_them(definitions: Definitions) -> None:
    source = f"""{SYNCHRONOUS}conn.execute(
    "INSERT INTO notes (user_id, body) VALUES (?, ?)",
    (
        1,  # whose
        "x",
    ),
)
"""
    new = after(source, definitions, Driver.SQLALCHEMY)
    assert new.endswith('    {\n        "p1": 1,  # whose\n        "p2": "x",\n    },\n)\n')


EXCEPTIONS = """
    import aiosqlite
    class Gone(aiosqlite.IntegrityError):
        pass
    async def main():
        async with aiosqlite.connect("app.db") as db:
            try:
                await db.commit()
            except aiosqlite.IntegrityError:
                raise
            except (ValueError, aiosqlite.OperationalError):
                raise
            except aiosqlite.OperationalError as error:
                raise error
    """


def test_exceptions_of_asyncpg(definitions: Definitions) -> None:
    new = after(EXCEPTIONS, definitions, Driver.ASYNCPG)
    assert "class Gone(asyncpg.IntegrityConstraintViolationError):" in new
    assert "except asyncpg.IntegrityConstraintViolationError:" in new
    assert "except (ValueError, *postgresql.OperationalError):" in new
    assert "except postgresql.OperationalError as error:" in new


def test_exceptions_of_sqlalchemy(definitions: Definitions) -> None:
    new = after(EXCEPTIONS, definitions, Driver.SQLALCHEMY)
    assert "except (ValueError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.ProgrammingError):" in new
    assert "except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.ProgrammingError) as error:" in new


def test_what_sqlalchemy_makes_of_more_than_a_message_is_not_raised(definitions: Definitions) -> None:
    source = """
        import sqlite3
        conn = sqlite3.connect("app.db")
        def check():
            raise sqlite3.IntegrityError("not that")
        """
    found = recode(source, definitions, Driver.SQLALCHEMY)
    assert [(item.rule, item.where) for item in found.findings] == [("sqlite-api", "app.py:5")]
    assert 'raise sqlite3.IntegrityError("not that")' in sources(found)["app.py"]
    assert 'raise psycopg.IntegrityError("not that")' in after(source, definitions, Driver.PSYCOPG)


# -- what is left as a whole -------------------------------------------------------------------------------------------

BOTH = """
    import aiosqlite
    import sqlite3
    def nightly():
        conn = sqlite3.connect({path})
        conn.execute("DELETE FROM notes WHERE id = ?", (1,))
    async def main():
        async with aiosqlite.connect("app.db") as db:
            await db.execute("DELETE FROM users WHERE id = ?", (1,))
    """


def test_connections_without_coroutines_leave_everything_as_it_is(definitions: Definitions) -> None:
    found = recode(BOTH.format(path='"app.db"'), definitions, Driver.ASYNCPG)
    assert [(item.rule, item.where) for item in found.findings] == [("synchronous", "app.py:5")]
    assert found.refused
    assert found.drafts == ()


def test_those_of_another_database_do_not_matter(definitions: Definitions) -> None:
    found = recode(BOTH.format(path='":memory:"'), definitions, Driver.ASYNCPG)
    assert not found.refused
    new = sources(found)["app.py"]
    assert 'conn.execute("DELETE FROM notes WHERE id = ?", (1,))' in new
    assert 'await db.execute("DELETE FROM users WHERE id = $1", (1,))' in new


def test_a_text_that_sqlite_gets_too_is_not_changed(definitions: Definitions) -> None:
    source = """
        import sqlite3
        SQL = "DELETE FROM notes WHERE id = ?"
        conn = sqlite3.connect("app.db")
        cache = sqlite3.connect(":memory:")
        conn.execute(SQL, (1,))
        cache.execute(SQL, (1,))
        """
    for driver in (Driver.PSYCOPG, Driver.SQLALCHEMY):
        found = recode(source, definitions, driver)
        assert [(item.rule, item.where) for item in found.findings] == [("dynamic-sql", "app.py:6")]
        assert 'SQL = "DELETE FROM notes WHERE id = ?"' in sources(found)["app.py"]


@pytest.mark.parametrize("driver", Driver)
def test_a_second_run_changes_nothing(driver: Driver, definitions: Definitions) -> None:
    programs = [GROWING, ROWS, EXCEPTIONS, *(f"{COROUTINES}await db.{before}\n" for before, _, _ in CALLS.values())]
    for source in programs:
        once = after(source, definitions, driver)
        assert once != textwrap.dedent(source)
        again = recode(once, definitions, driver, postgresql=TARGETS[driver].support(coroutines=True))
        assert again.drafts == ()
        assert not again.refused
        assert again.findings == ()


def test_what_was_left_is_said_again(definitions: Definitions) -> None:
    for driver in Driver:
        once = after(f"{COROUTINES}await db.execute('SELECT * FROM nowhere WHERE id = ?', (1,))\n", definitions, driver)
        again = recode(once, definitions, driver, postgresql=TARGETS[driver].support(coroutines=True))
        assert [(item.rule, item.where) for item in again.findings] == [("left-over", "app.py:5")]


@pytest.mark.parametrize("before", Driver)
def test_a_program_stays_with_the_driver_that_it_was_rewritten_for(before: Driver, definitions: Definitions) -> None:
    once = after(GROWING, definitions, before)
    for coroutines in (True, False):
        support = TARGETS[before].support(coroutines)
        for other in set(Driver) - {before}:
            found = recode(once, definitions, other, postgresql=support)
            assert [(item.rule, item.where) for item in found.findings] == [("other-target", "postgresql.py")]
            assert found.drafts == ()


def test_a_module_of_that_name_is_no_sign(definitions: Definitions) -> None:
    module = read_module(PurePosixPath("postgresql.py"), "import psycopg\n\ndef connect(): ...\n")
    assert target_of([module]) is None
    assert not recode(SYNCHRONOUS, definitions, Driver.SQLALCHEMY, postgresql=module.text).refused
