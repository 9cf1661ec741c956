"""What both databases hold, read by neither apsw nor anything of the migrator: an opinion of the tests' own.

SQLite is read by the standard library, PostgreSQL as the text that its own output functions write. Values of both sides
are brought into one notation that keeps type and bits; for JSON in jsonb and text[] it keeps the meaning.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def open_source(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        yield db


@contextmanager
def open_target(url: str) -> Iterator[psycopg.Connection]:
    """A session that writes values in one way, whatever the server's defaults are."""
    options = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c bytea_output=hex -c extra_float_digits=1"
    with psycopg.connect(url, autocommit=True, options=options) as connection:
        yield connection


def tables_of(db: sqlite3.Connection) -> list[str]:
    """Ordinary tables, without SQLite's own."""
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return sorted(name for (name,) in names)


def columns_of(connection: psycopg.Connection, table: str, schema: str = "public") -> dict[str, str]:
    """Column → type as information_schema names it; ARRAY for every array."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " ORDER BY ordinal_position",
        (schema, table),
    )
    return dict(rows.fetchall())


def assert_same_rows(db: sqlite3.Connection, connection: psycopg.Connection, table: str, query: str = "") -> int:
    """Every row of the table, or of the query that became it, is in the target, and no other. Returns the count."""
    cursor = db.execute(query or f'SELECT * FROM "{table}"')
    names = [name.lower() for name, *_ in cursor.description]
    types = columns_of(connection, table.lower())
    assert sorted(types) == sorted(names)
    kinds = [types[name] for name in names]
    ours = sorted(_noted_source(row, kinds) for row in cursor)
    theirs = sorted(_target_rows(connection, table.lower(), names, kinds))
    assert len(ours) == len(theirs)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]][:3] == []
    return len(ours)


def _target_rows(
    connection: psycopg.Connection, table: str, names: Sequence[str], kinds: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    shown = [
        sql.SQL("to_json({})::text" if kind == "ARRAY" else "{}::text").format(sql.Identifier(name))
        for name, kind in zip(names, kinds, strict=True)
    ]
    for row in connection.execute(
        sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(shown), sql.Identifier(table))
    ):
        yield tuple(
            "NULL" if text is None else _TARGET.get(kind, str)(text) for text, kind in zip(row, kinds, strict=True)
        )


def _noted_source(row: Sequence[Any], kinds: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        "NULL" if value is None else _SOURCE.get(kind, _plain)(value) for value, kind in zip(row, kinds, strict=True)
    )


def _plain(value: Any) -> str:
    """Text as it is; anything else would be a value of another storage class, and says so."""
    return value if isinstance(value, str) else f"<{type(value).__name__} {value!r}>"


def _canonical_json(text: str) -> str:
    return json.dumps(
        json.loads(text, parse_float=Decimal), sort_keys=True, default=lambda number: str(number.normalize())
    )


def _instant(moment: datetime) -> str:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")


def _source_instant(value: Any) -> str:
    """A text, UTC where it has no offset; or a number of seconds, milliseconds or microseconds, told by its size."""
    if isinstance(value, str):
        return _instant(datetime.fromisoformat(value))
    scale = next(scale for limit, scale in ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1)) if abs(value) < limit)
    return _instant(EPOCH + timedelta(microseconds=round(value * scale)))


def _source_boolean(value: Any) -> str:
    return {"1": "true", "true": "true", "t": "true", "0": "false", "false": "false", "f": "false"}[str(value).lower()]


def _of(kind: type, note: Callable[[Any], str]) -> Callable[[Any], str]:
    """Only a value of that Python type; another one was not carried as what it was."""
    return lambda value: note(value) if type(value) is kind else f"<{type(value).__name__} {value!r}>"


_SOURCE: dict[str, Callable[[Any], str]] = {
    "smallint": _of(int, str),
    "integer": _of(int, str),
    "bigint": _of(int, str),
    "double precision": lambda value: repr(float(value)),
    "numeric": lambda value: str(Decimal(repr(value)).normalize()),
    "boolean": _source_boolean,
    "bytea": lambda value: "\\x" + (value.encode() if isinstance(value, str) else value).hex(),
    "date": lambda value: date.fromisoformat(value).isoformat(),
    "time without time zone": lambda value: time.fromisoformat(value).isoformat(),
    "timestamp without time zone": _source_instant,
    "timestamp with time zone": _source_instant,
    "uuid": lambda value: str(UUID(value)),
    "jsonb": _canonical_json,
    "ARRAY": _canonical_json,
}
_TARGET: dict[str, Callable[[str], str]] = {
    "double precision": lambda text: repr(float(text)),
    "numeric": lambda text: str(Decimal(text).normalize()),
    "time without time zone": lambda text: time.fromisoformat(text).isoformat(),
    "timestamp without time zone": lambda text: _instant(datetime.fromisoformat(text)),
    "timestamp with time zone": lambda text: _instant(datetime.fromisoformat(text)),
    "jsonb": _canonical_json,
    "ARRAY": _canonical_json,
}
