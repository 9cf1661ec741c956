"""Every statement that the translation is tried with, as a program would execute it: arguments, results, rows left."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from migrator import adapter
from tests.migrator.core.engines import COLUMNS, EVENT_ROWS, ROWS, SEVERAL_ROWS, SMALL_ROWS
from tests.migrator.core.test_sqlite_compat import PACK
from tests.migrator.core.test_statements import CHANGES, QUERIES

from .both import moved


def _values(row: tuple[Any, ...]) -> str:
    with closing(sqlite3.connect(":memory:")) as db:
        special = {float("inf"): "9e999", float("-inf"): "-9e999"}
        quoted = [special[v] if v in special else db.execute("SELECT quote(?)", (v,)).fetchone()[0] for v in row]
    return f"({', '.join(quoted)})"


TABLE = ", ".join(f'"{name}" {declared}' for name, (declared, _, _) in COLUMNS.items())
SCRIPT = f"""
CREATE TABLE t ({TABLE});
INSERT INTO t ({", ".join(f'"{name}"' for name in [*COLUMNS][1:])}) VALUES {", ".join(map(_values, ROWS))};
CREATE TABLE p (code INTEGER PRIMARY KEY, label TEXT, amount INTEGER);
INSERT INTO p VALUES {", ".join(map(_values, SMALL_ROWS))};
CREATE TABLE k (id INTEGER PRIMARY KEY, name TEXT UNIQUE, shelf INTEGER, slot INT, note TEXT DEFAULT 'new',
    UNIQUE (shelf, slot));
INSERT INTO k VALUES {", ".join(map(_values, SEVERAL_ROWS))};
CREATE TABLE e (id INTEGER PRIMARY KEY, uid TEXT, active INTEGER, at TEXT, z TEXT, made TEXT, price REAL,
    kind TEXT COLLATE NOCASE);
CREATE UNIQUE INDEX e_uid ON e (uid) WHERE active = 1;
INSERT INTO e VALUES {", ".join(map(_values, EVENT_ROWS))};
"""


@pytest.fixture(scope="module")
def pair(embedded_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    folder = tmp_path_factory.mktemp("translated")
    with moved(embedded_server, folder, SCRIPT) as found, found.copies(folder) as copies:
        with psycopg.connect(copies.url, autocommit=True) as admin:
            admin.execute(PACK.encode())
        with closing(sqlite3.connect(copies.path)) as ours, closing(adapter.connect(copies.url)) as theirs:
            yield ours, theirs


def ordered(sql: str, rows: list[Any]) -> list[Any]:
    """The rows, sorted where the statement does not say in which order they come."""
    return rows if "ORDER BY" in re.sub(r"OVER \([^)]*\)", "", sql) else sorted(rows, key=_key)


def _key(row: tuple[Any, ...]) -> str:
    """SQLite calculates -x as 0 - x, which has another sign where x is 0.0."""
    return repr(tuple(value + 0.0 if isinstance(value, float) else value for value in row))


def _close(one: Any, other: Any) -> bool:
    """Sums and averages of doubles agree to 1e-9 of their size."""
    if isinstance(one, float) and type(one) is type(other):
        return bool(one == pytest.approx(other, rel=1e-9))
    return repr(one) == repr(other)


def alike(ours: list[Any], theirs: list[Any]) -> bool:
    return len(ours) == len(theirs) and all(
        len(one) == len(other) and all(map(_close, one, other)) for one, other in zip(ours, theirs, strict=True)
    )


# In another order than SQLite's, or other than in older releases of SQLite.
DIFFERENT = (
    *("group_concat", "round(2.675", "printf(", "json_valid(s)"),
    *("iif(i > 0, 'a', i < 0", "concat(", "octet_length(", "timediff("),
)
# PostgreSQL's sequence does not go back with the transaction.
NEW_ID = ("INTO k (name", "VALUES (NULL, 'a'", "INTO k DEFAULT")


@pytest.mark.parametrize(
    ("sql", "arguments"), [item for item in QUERIES if not any(text in item[0] for text in DIFFERENT)]
)
def test_queries(pair: tuple[Any, Any], sql: str, arguments: Any) -> None:
    found = [ordered(sql, connection.execute(sql, arguments).fetchall()) for connection in pair]
    assert alike(*found), f"{found[1]} instead of {found[0]}"


@pytest.mark.parametrize(
    ("sql", "arguments"), [item for item in CHANGES if not any(text in item[0] for text in NEW_ID)]
)
def test_changes(pair: tuple[Any, Any], sql: str, arguments: Any) -> None:
    def body(connection: Any) -> Any:
        try:
            rows = connection.execute(sql, arguments).fetchall()
            tables = [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in "tpke"]
            return [ordered(sql, rows), *tables]
        finally:
            connection.rollback()

    for ours, theirs in zip(*map(body, pair), strict=True):
        assert alike(ours, theirs), f"{theirs} instead of {ours}"
