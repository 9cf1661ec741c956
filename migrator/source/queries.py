"""Merging queries come from a plan, which is untrusted text; connection.connect lets every statement read only."""

from __future__ import annotations

import apsw

from migrator.core.values import LARGEST_VALUE_BYTES


class QueryRefused(ValueError):
    """The message says why."""


def describe(connection: apsw.Connection, query: str) -> tuple[str, ...]:
    """The result's column names. Raises QueryRefused."""
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    try:
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM ({query}) LIMIT 1", can_cache=False)
        names = tuple(name for name, *_ in _description(cursor, connection, query))
    except apsw.Error as error:
        raise QueryRefused(str(error)) from error
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)
    if len(set(names)) != len(names):
        raise QueryRefused("two of its columns have the same name")
    return names


def _description(cursor: apsw.Cursor, connection: apsw.Connection, query: str) -> tuple[tuple[str, str | None], ...]:
    """apsw describes a cursor only while it has a row; an empty result is described by a view of it."""
    try:
        return cursor.get_description()
    except apsw.ExecutionCompleteError:
        cursor = connection.cursor()
        cursor.execute(f"SELECT q.* FROM (SELECT 1) LEFT JOIN ({query}) q ON 1 LIMIT 1")
        return cursor.get_description()
