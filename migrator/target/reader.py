"""Reading the target back for verification: streamed, binary, decoded by psycopg's loaders and nothing of ours."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from migrator.core.values import MAX_VALUE_BYTES

CHUNK_BYTES = 4 * 1024 * 1024


def select(
    table: sql.Identifier,
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


def stream(connection: psycopg.Connection, query: sql.Composed, size: int) -> Iterator[tuple[object, ...]]:
    """The rows, fetched `size` at a time."""
    with connection.cursor(binary=True) as cursor:
        yield from cursor.stream(query, size=size)


def batches(rows: Iterator[tuple[object, ...]], size: int) -> Iterator[list[tuple[object, ...]]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def bounded(column: sql.Composable) -> list[sql.Composable]:
    """The column's size in bytes, and its value or NULL where it is too large to hold."""
    size = sql.SQL("octet_length({})").format(column)
    value = sql.SQL("CASE WHEN octet_length({}) <= {} THEN {} END").format(column, sql.Literal(MAX_VALUE_BYTES), column)
    return [size, value]


def large_chunks(
    connection: psycopg.Connection,
    table: sql.Identifier,
    column: sql.Identifier,
    key: tuple[sql.Composable, object],
    text: bool,
) -> Iterator[bytes]:
    """The bytes of one large value, found by a key column, in chunks."""
    value = sql.SQL("convert_to({}, 'UTF8')").format(column) if text else column
    query = sql.SQL("SELECT substring({} FROM %s FOR %s) FROM {} WHERE {} = %s").format(value, table, key[0])
    for start in itertools.count(1, CHUNK_BYTES):
        row = connection.execute(query, (start, CHUNK_BYTES, key[1]), binary=True).fetchone()
        if row is None or not row[0]:
            return
        yield bytes(row[0])


def digest(chunks: Iterator[bytes]) -> str:
    """SHA-256 over the chunks, whatever their sizes."""
    total = hashlib.sha256()
    for chunk in chunks:
        total.update(chunk)
    return total.hexdigest()
