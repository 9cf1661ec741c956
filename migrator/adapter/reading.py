"""What the target says of its tables, read over a connection of its own and kept for the process."""

from __future__ import annotations

import threading
from collections.abc import Hashable

import psycopg

from migrator.adapter.known import Found, Known, known_of
from migrator.adapter.state import VERSION_TABLE
from migrator.adapter.tables import Shared, tables_of
from migrator.target.catalog import read_shapes
from migrator.target.comments import read_comments, read_trigger_comments, schema_mark
from migrator.target.connection import Target, connect
from migrator.target.tables import read_schema

_shared: dict[Hashable, Shared] = {}
_lock = threading.Lock()


def shared_tables(target: Target) -> Shared:
    """Those of the schema in which unqualified names are looked for first. Raises TargetError."""
    connection = connect(target)
    try:
        schema = _current_schema(connection)
        key = (tuple(sorted((name, value) for name, value in target.parameters.items() if name != "password")), schema)
        with _lock:
            mark = schema_mark(connection, schema)
            found = _shared.get(key)
            if found is None:
                found = _shared[key] = Shared(tables_of(read_known(connection, schema)), mark)
            elif found.mark != mark:
                found.tables, found.mark = tables_of(read_known(connection, schema)), mark
            return found
    finally:
        connection.close()


def _current_schema(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT current_schema()").fetchone()
    return str(row[0]) if row and row[0] else "public"


def read_known(connection: psycopg.Connection, schema: str) -> Known:
    """All of it in one state of the catalog."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    shapes = read_shapes(connection, schema)
    tables = {table.name: table for table in read_schema(connection, schema).tables}
    comments, triggers = read_comments(connection, schema), read_trigger_comments(connection, schema)
    connection.execute("COMMIT")
    tables.pop(VERSION_TABLE, None)
    known = {name: shape for name, shape in shapes.items() if name in tables}
    return known_of(Found(schema, known, tables, comments, triggers))
