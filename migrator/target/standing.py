"""Whether tables that stand are still as they were, without reading what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from migrator.target.catalog import relations

Marks = Mapping[str, tuple[object, ...]]  # table → what another one, or the same one with other rows, would not have


def read_marks(connection: psycopg.Connection, schema: str, tables: Iterable[str] | None = None) -> Marks:
    """Of these tables, or of all in the schema: which it is, its rows, and where and since when each of them stands.

    Every insert, update and delete changes them; a VACUUM FULL does too. Reads every row. Raises psycopg.Error.
    """
    kinds = relations(connection, schema)
    wanted = kinds if tables is None else tables
    return {name: _mark(connection, schema, name) for name in sorted(wanted) if kinds.get(name) == "table"}


def _mark(connection: psycopg.Connection, schema: str, table: str) -> tuple[object, ...]:
    # A row has another xmin or ctid after every change; the sum does not depend on the order in which they are read.
    query = sql.SQL(
        "SELECT %s::regclass::oid, count(*), sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) FROM {}"
    )
    name = sql.Identifier(schema, table)
    return connection.execute(query.format(name), (name.as_string(connection),)).fetchone() or ()
