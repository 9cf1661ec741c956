"""What the adapter decides without a server."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import Any

import pytest

from migrator.adapter.arguments import encoder, literal
from migrator.adapter.failures import Names, Said, failure
from migrator.adapter.places import file_of, is_server
from migrator.adapter.results import reader
from migrator.adapter.statements import control, pragma, sort_out
from migrator.adapter.transactions import BEGIN, BEGIN_TO_READ, MOST_HELD, Guard, Transaction, Verb, lock_of
from migrator.core.convert import Options, Unfit
from migrator.core.model import Affinity
from migrator.core.pgtypes import parse_type
from migrator.core.plan import ColumnPlan

# -- which database ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("sqlite:///a.db", "a.db"), ("sqlite:////tmp/a.db", "/tmp/a.db"), ("sqlite://", ":memory:"),
        ("sqlite+aiosqlite:///a%20b.db?x=1", "a b.db"), (":memory:", ":memory:"), ("a.db", "a.db"), ("", ""),
        ("file:a.db?mode=ro", "file:a.db?mode=ro"), ("postgres.db", "postgres.db"),
    ],
)  # fmt: skip
def test_paths(place: str, path: str) -> None:
    assert not is_server(place)
    assert file_of(place) == path


@pytest.mark.parametrize(
    "place", ["postgresql://h/d", "postgres://h/d", "postgresql+psycopg://h/d", "postgresql+asyncpg://h/d"]
)
def test_servers(place: str) -> None:
    assert is_server(place)


# -- transactions ------------------------------------------------------------------------------------------------------

LOCK = lock_of("public")
HOLD, LET_GO, BACK = (
    b'SAVEPOINT "migrator guard"',
    b'RELEASE SAVEPOINT "migrator guard"',
    b'ROLLBACK TO SAVEPOINT "migrator guard"',
)
DEEPER, BACK_INSIDE = b'SAVEPOINT "migrator inner guard"', b'ROLLBACK TO SAVEPOINT "migrator inner guard"'


def test_what_stands_in_front_of_statements() -> None:
    """A place to return to, and no more of them than needed."""
    transaction = Transaction(LOCK)
    assert (transaction.before(Verb.READ), transaction.before(Verb.WRITE)) == ([], [LOCK])
    transaction.open = True
    for verb, before in [
        (Verb.READ, [BEGIN_TO_READ]),
        (Verb.READ, []),
        (Verb.WRITE, [LOCK]),
        (Verb.WRITE, [HOLD]),
        (Verb.WRITE, [DEEPER]),
        (Verb.READ, [DEEPER]),
        (Verb.READ, []),
        (Verb.WRITE, []),
    ]:
        assert transaction.before(verb) == before, verb
        transaction.done(verb)
    assert transaction.before(Verb.WRITE) == [DEEPER]
    assert transaction.failed() == [BACK_INSIDE]
    assert transaction.before(Verb.WRITE) == []
    assert transaction.letting_go() == [LET_GO]


def test_places_to_return_to_are_let_go_of_together() -> None:
    transaction = Transaction(LOCK, open=True)
    transaction.done(Verb.WRITE)
    for turn in range(3):
        begin = [HOLD] if turn == 0 else [LET_GO, HOLD]
        for before in [begin, *[[DEEPER]] * (MOST_HELD - 1)]:
            assert transaction.before(Verb.WRITE) == before
            transaction.done(Verb.WRITE)
    assert transaction.before(Verb.WRITE) == [LET_GO, HOLD]
    assert transaction.failed() == [BACK]


def test_a_transaction_in_which_nothing_has_changed_begins_again() -> None:
    transaction = Transaction(LOCK, open=True)
    assert transaction.before(Verb.WRITE) == [BEGIN, LOCK]
    assert transaction.failed() == [b"ROLLBACK"]
    assert transaction.before(Verb.WRITE) == [BEGIN, LOCK]
    assert transaction.open


def test_the_lock_is_lost_behind_a_savepoint_that_is_returned_to() -> None:
    transaction = Transaction(LOCK)
    assert transaction.add_savepoint("a") == [BEGIN, b"SAVEPOINT migrator_0"]
    assert transaction.before(Verb.WRITE) == [HOLD, LOCK]
    transaction.done(Verb.WRITE)
    assert transaction.return_to(0) == [b"ROLLBACK TO SAVEPOINT migrator_0"]
    assert (transaction.guard, transaction.locked) == (Guard.NONE, False)
    assert transaction.before(Verb.WRITE) == [HOLD, LOCK]


# -- statements --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "kind", "begins"),
    [
        ("insert into t values (1)", "dml", True), ("/* x */ REPLACE INTO t VALUES (1)", "dml", True),
        ("WITH x AS (SELECT 1) DELETE FROM t", "query", False), ("SELECT 1", "query", False),
        ("CREATE TABLE t (x)", "ddl", False), ("PRAGMA user_version", "pragma", False), ("END", "control", False),
        ("EXPLAIN SELECT 1", "other", False), ("VACUUM", "nothing", False),
    ],
)  # fmt: skip
def test_kinds(sql: str, kind: str, begins: bool) -> None:
    [found] = sort_out(sql)
    assert (found.kind, found.begins) == (kind, begins)


@pytest.mark.parametrize(
    ("sql", "word", "savepoint"),
    [
        ("SAVEPOINT a", "SAVEPOINT", "a"), ('release savepoint "A b"', "RELEASE", "a b"),
        ("RELEASE savepoint", "RELEASE", "savepoint"),
        ("ROLLBACK TRANSACTION TO SAVEPOINT X", "ROLLBACK TO", "x"),
        ("ROLLBACK", "ROLLBACK", None), ("END TRANSACTION", "COMMIT", None),
    ],
)  # fmt: skip
def test_control(sql: str, word: str, savepoint: str | None) -> None:
    found = control(sort_out(sql)[0].statement)
    assert (found.word, found.savepoint) == (word, savepoint)


@pytest.mark.parametrize(
    ("sql", "name", "value"),
    [
        ("PRAGMA foreign_keys", "foreign_keys", None), ("PRAGMA main.Journal_Mode = WAL", "journal_mode", "WAL"),
        ("PRAGMA cache_size(-2000)", "cache_size", "-2000"), ("PRAGMA table_info('a b')", "table_info", "a b"),
    ],
)  # fmt: skip
def test_pragmas(sql: str, name: str, value: str | None) -> None:
    found = pragma(sort_out(sql)[0].statement)
    assert (found.name, found.value) == (name, value)


# -- values ------------------------------------------------------------------------------------------------------------


def column(type_name: str, affinity: Affinity = Affinity.BLOB, **options: Any) -> ColumnPlan:
    return ColumnPlan("c", "c", parse_type(type_name), Options(**options), affinity=affinity)


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "NULL"), (-5, "(-5)"), (5, "5"), (-0.0, "(-0.0)"), (1e300, "1e+300"), (float("-inf"), "(-9e999)"),
     ("it's", "'it''s'"), (b"\x00", "x'00'"), (float("inf"), "9e999")],
)  # fmt: skip
def test_literals_are_read_back_by_sqlite(value: Any, written: str) -> None:
    assert literal(value) == written
    assert repr(sqlite3.connect(":memory:").execute(f"SELECT {written}").fetchone()[0]) == repr(value)


def test_columns_of_several_spellings_have_to_agree() -> None:
    """Nothing says in which column's place a value stands."""
    days = column("timestamp", format="YYYY-MM-DD HH:MM:SS"), column("timestamp", format="YYYY-MM-DDTHH:MM:SS")
    assert encoder("timestamp", days[:1])("2026-01-01 10:00:00") == b"2026-01-01 10:00:00"
    with pytest.raises(Unfit):
        encoder("timestamp", days)("2026-01-01 10:00:00")
    flags = column("boolean"), column("boolean", true="1", false="0")
    assert (encoder("boolean", flags[:1])(1), encoder("boolean", flags[1:])("1")) == (b"1", b"1")
    for value in (1, "1"):
        with pytest.raises(Unfit):
            encoder("boolean", flags)(value)


@pytest.mark.parametrize("value", ["abc  ", "ab"])
def test_texts_that_postgresql_would_change_are_refused(value: str) -> None:
    with pytest.raises(sqlite3.DataError):
        encoder("text", [column("char(3)", Affinity.TEXT)])(value)


def test_results_that_nothing_explains_are_refused() -> None:
    times = column("timestamptz", unit="s"), column("timestamptz", format="YYYY-MM-DD HH:MM:SSZ")
    with pytest.raises(sqlite3.NotSupportedError, match="result-type"):
        reader(1184, None, times)
    with pytest.raises(sqlite3.NotSupportedError, match="result-type"):
        reader(869, None, ())  # inet
    mixed = reader(701, None, [column("double precision", Affinity.NUMERIC)])
    assert mixed is not None
    assert mixed(2.5) == 2.5
    with pytest.raises(sqlite3.NotSupportedError):
        mixed(2.0)
    assert reader(701, None, [column("double precision", Affinity.NUMERIC)], real=True) is None


# -- errors ------------------------------------------------------------------------------------------------------------

NAMES = Names({"t": "T"}, {("t", "a"): "A", ("t", "b"): "b"}, {"T": frozenset({"A"})})


@pytest.mark.parametrize(
    ("said", "kind", "name", "message"),
    [
        (Said("23505", "", "Key (a)=(1) already exists.", "t"), "Integrity", "CONSTRAINT_PRIMARYKEY",
         "UNIQUE constraint failed: T.A"),
        (Said("23505", "", "Schlüssel (a, b)=(1, 2)", "t"), "Integrity", "CONSTRAINT_UNIQUE",
         "UNIQUE constraint failed: T.A, T.b"),
        (Said("23505", "", None, "t", None, "i"), "Integrity", "CONSTRAINT_UNIQUE",
         "UNIQUE constraint failed: index 'i'"),
        (Said("23502", "", None, "t", "b"), "Integrity", "CONSTRAINT_NOTNULL", "NOT NULL constraint failed: T.b"),
        (Said("40P01", "deadlock"), "Operational", "BUSY", "database is locked"),
        (Said("22003", "out of range"), "Data", "ERROR", "out of range"),
        (Said("42501", "permission denied"), "Operational", "ERROR", "permission denied"),
        (Said("XX000", "broken"), "Internal", "ERROR", "broken"),
        (Said(None, "at postgresql://u:S3CRET@h/ S3CRET"), "Operational", "CANTOPEN", "at postgresql://u:***@h/ ***"),
    ],
)  # fmt: skip
def test_errors(said: Said, kind: str, name: str, message: str) -> None:
    found = failure(said, NAMES, "S3CRET")
    assert (type(found).__name__, found.sqlite_errorname, str(found)) == (
        f"{kind}Error",
        f"SQLITE_{name}",
        message,
    )


# -- the import --------------------------------------------------------------------------------------------------------


def test_the_import_brings_nothing_but_sqlite() -> None:
    script = (
        "import sys; from migrator import adapter; adapter.connect(':memory:').execute('SELECT 1');"
        "print([name for name in ('psycopg', 'sqlglot', 'apsw', 'click', 'rich', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
