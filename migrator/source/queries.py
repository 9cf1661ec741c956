"""Merging queries come from a plan, which is untrusted text; connection.connect lets every statement read only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import apsw

from migrator.core.model import fold
from migrator.core.values import LARGEST_VALUE_BYTES

STEPS_PER_LOOK = 100_000  # of SQLite's virtual machine; some milliseconds


class QueryRefused(ValueError):
    """The message says why."""


@dataclass(frozen=True)
class Described:
    """A query's result columns, and the tables and views that it reads, in lower case.

    `read` are the (table, column) whose values it asks for, in lower case.
    """

    columns: tuple[str, ...]
    tables: frozenset[str]
    read: frozenset[tuple[str, str]]


@contextmanager
def ending(connection: apsw.Connection, within_s: float) -> Iterator[None]:
    """Within the block a statement that takes longer raises apsw.InterruptError."""
    until = time.monotonic() + within_s
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_PER_LOOK)
    try:
        yield
    finally:
        connection.set_progress_handler(None)


def describe(connection: apsw.Connection, query: str) -> Described:
    """What the query returns and reads. Raises QueryRefused."""
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    try:
        cursor = connection.cursor()
        read = _execute(cursor, connection, f"SELECT * FROM ({query}) LIMIT 1")
        names = tuple(name for name, *_ in _description(cursor, connection, query))
    except apsw.Error as error:
        raise QueryRefused(str(error)) from error
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)
    if len(set(names)) != len(names):
        raise QueryRefused("two of its columns have the same name")
    return Described(names, frozenset(table for table, _ in read), read)


def _execute(cursor: apsw.Cursor, connection: apsw.Connection, statement: str) -> frozenset[tuple[str, str]]:
    """Execute the statement; the columns that it reads, as SQLite tells the authorizer while it prepares it."""
    allow = connection.authorizer
    read = set()

    def listen(operation: int, *names: str | None) -> int:
        if operation == apsw.SQLITE_READ and names[0]:
            read.add((fold(names[0]), fold(names[1] or "")))
        return allow(operation, *names) if allow else apsw.SQLITE_OK

    connection.authorizer = listen
    try:
        cursor.execute(statement, can_cache=False)
    finally:
        connection.authorizer = allow
    return frozenset(read)


def _description(cursor: apsw.Cursor, connection: apsw.Connection, query: str) -> tuple[tuple[str, str | None], ...]:
    """apsw describes a cursor only while it has a row; an empty result is described by a view of it."""
    try:
        return cursor.get_description()
    except apsw.ExecutionCompleteError:
        cursor = connection.cursor()
        cursor.execute(f"SELECT q.* FROM (SELECT 1) LEFT JOIN ({query}) q ON 1 LIMIT 1")
        return cursor.get_description()
