"""Whether tables and views that stand are still as they were: one digest for each, of what it is and of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from psycopg import sql

from migrator.target.catalog import relations

Marks = Mapping[str, str]  # table or view → a digest that another one, or the same one with other rows, would not have


def read_marks(connection: psycopg.Connection, schema: str, names: Iterable[str]) -> Marks:
    """Of those tables and views that are there. Reads every row. Raises psycopg.Error.

    Every insert, update and delete changes a mark, and so does every ALTER, GRANT and COMMENT, every index, trigger,
    policy and rule; a VACUUM FULL does too, though nothing is lost by it.
    """
    kinds = relations(connection, schema)
    structure = files("migrator.target").joinpath("standing.sql").read_bytes()
    with _full_names(connection):
        return {
            name: _mark(connection, structure, sql.Identifier(schema, name), rows=kinds[name] == "table")
            for name in sorted(set(names) & kinds.keys())
        }


@contextmanager
def _full_names(connection: psycopg.Connection) -> Iterator[None]:
    """Definitions name what is not in the search path with its schema."""
    [path] = connection.execute("SELECT current_setting('search_path')").fetchone() or [""]
    connection.execute("SELECT set_config('search_path', '', false)")
    yield
    connection.execute("SELECT set_config('search_path', %s, false)", (path,))


def _mark(connection: psycopg.Connection, structure: bytes, name: sql.Identifier, *, rows: bool) -> str:
    parts = connection.execute(structure, {"relation": name.as_string(connection)}).fetchall()
    for sequence in [text for what, text in parts if what == "sequence"]:
        parts += connection.execute(f"SELECT last_value, is_called FROM {sequence}".encode()).fetchall()
    if rows:
        # A row has another xmin or ctid after every change; the sum does not depend on the order of reading.
        query = sql.SQL("SELECT count(*), sum(hashtextextended(ctid::text || ' ' || xmin::text, 0))::text FROM {}")
        parts += connection.execute(query.format(name)).fetchall()
    return hashlib.sha256(repr(parts).encode()).hexdigest()
