"""Reading the target back for verification: streamed, binary, decoded by psycopg's loaders and nothing of ours."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import DateBinaryLoader, TimestampBinaryLoader, TimestamptzBinaryLoader

from migrator.core.values import MAX_VALUE_BYTES, Unreadable

Item = TypeVar("Item")
CHUNK_BYTES = 16 * 1024 * 1024  # PostgreSQL decompresses a value from its start for every chunk


def select(
    table: sql.Composable,
    columns: Sequence[sql.Composable],
    order: Sequence[sql.Composable] = (),
    bounds: tuple[sql.Composable, int, int] | None = None,
) -> sql.Composed:
    """A SELECT over the table, between two values of one column where `bounds` are given."""
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns) if columns else sql.SQL("1"), table)
    if bounds:
        column, low, high = bounds
        query += sql.SQL(" WHERE {} BETWEEN {} AND {}").format(column, sql.Literal(low), sql.Literal(high))
    if order:
        query += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(order)
    return query


def _tolerant(loader: type[Loader]) -> type[Loader]:
    class Tolerant(loader):  # type: ignore[misc, valid-type]  # a class that is made from an argument
        def load(self, data: Buffer) -> object:
            try:
                return super().load(data)
            except psycopg.DataError:
                return Unreadable(bytes(data))

    return Tolerant


_TOLERANT = {
    "date": _tolerant(DateBinaryLoader),
    "timestamp": _tolerant(TimestampBinaryLoader),
    "timestamptz": _tolerant(TimestamptzBinaryLoader),
}


def stream(
    connection: psycopg.Connection, query: sql.Composed, size: int, *, tolerant: bool = False
) -> Iterator[tuple[object, ...]]:
    """The rows, fetched `size` at a time. Where it is `tolerant`, a time that Python cannot hold is Unreadable."""
    with connection.cursor(binary=True) as cursor:
        for name, loader in _TOLERANT.items() if tolerant else ():
            cursor.adapters.register_loader(name, loader)
        yield from cursor.stream(query, size=size)


def batches(rows: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def bounded(column: sql.Composable) -> sql.Composable:
    """The column's value, or NULL where it is too large to hold."""
    return sql.SQL("CASE WHEN octet_length({}) <= {} THEN {} END").format(column, sql.Literal(MAX_VALUE_BYTES), column)


def size(column: sql.Composable) -> sql.Composable:
    """In bytes."""
    return sql.SQL("octet_length({})").format(column)


def array(items: Sequence[sql.Composable], kind: LiteralString) -> sql.Composable:
    """Several results in one: a query has room for 1,664, which is little more than a table may have columns."""
    return sql.SQL("ARRAY[{}]::{}[]").format(sql.SQL(", ").join(items), sql.SQL(kind))


def large_chunks(
    connection: psycopg.Connection,
    table: sql.Identifier,
    column: sql.Identifier,
    key: Sequence[tuple[sql.Composable, object]],
    text: bool,
) -> Iterator[bytes]:
    """The bytes of one large value, found by its row's key, in chunks."""
    value = sql.SQL("convert_to({}, 'UTF8')").format(column) if text else column
    found = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(name) for name, _ in key)
    query = sql.SQL("SELECT substring({} FROM %s FOR %s) FROM {} WHERE {}").format(value, table, found)
    for start in itertools.count(1, CHUNK_BYTES):
        bindings = (start, CHUNK_BYTES, *[part for _, part in key])
        row = connection.execute(query, bindings, binary=True).fetchone()
        if row is None or not row[0]:
            return
        yield bytes(row[0])


def digest(chunks: Iterator[bytes]) -> str:
    """SHA-256 over the chunks, whatever their sizes."""
    total = hashlib.sha256()
    for chunk in chunks:
        total.update(chunk)
    return total.hexdigest()
