"""Reading rows: the fast way, straight from SQLite; and the careful way, which also sees what the fast one cannot.

The fast way raises UnicodeDecodeError on a text that is not valid in the database's encoding and apsw.TooBigError on a
value over MAX_VALUE_BYTES. The careful way returns such values as BrokenText and LargeValue.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import apsw

from migrator.core.census import TableCensus
from migrator.core.names import quote_identifier
from migrator.core.values import (
    LARGEST_VALUE_BYTES,
    MAX_BATCHED_VALUE_BYTES,
    MAX_VALUE_BYTES,
    BrokenText,
    LargeValue,
    Value,
)

Row = tuple[Value, ...]
BATCH_ROWS = 1_000
BATCH_VALUES = 64_000
BATCH_BYTES = 16 * 1024 * 1024
ROWS_PER_RANGE = 200_000
MAX_RANGES = 1_024  # of equal width; beyond, the rowids are looked at
SHAPES = 200  # columns whose shapes go into one text; an expression of SQLite may be 1,000 deep


@dataclass(frozen=True)
class Range:
    """Rowids from `low` to `high`, both included; None means the whole relation."""

    low: int | None = None
    high: int | None = None


WHOLE = Range()


@dataclass(frozen=True)
class Relation:
    """Something with rows: a table, or one query over the source (a merge)."""

    name: str
    columns: tuple[str, ...]
    query: str | None = None
    rowid: str | None = None  # the name under which the rowid can be read; None for WITHOUT ROWID and queries
    order: tuple[str, ...] = ()  # the key by which rows are ordered, where an order is asked for

    @property
    def from_sql(self) -> str:
        return f"({self.query})" if self.query else f"main.{quote_identifier(self.name)}"


def table_ranges(connection: apsw.Connection, relation: Relation) -> list[Range]:
    """Rowid ranges that together hold every row; a single WHOLE where there is no rowid to divide by."""
    if relation.rowid is None:
        return [WHOLE]
    low, high = connection.execute(
        f"SELECT (SELECT min({relation.rowid}) FROM {relation.from_sql}),"
        f" (SELECT max({relation.rowid}) FROM {relation.from_sql})"
    ).fetchone() or (None, None)
    if low is None or high is None:
        return []
    if not _has_more_rows(connection, relation, ROWS_PER_RANGE):
        return [Range(low, high)]
    count = -(-(high - low + 1) // ROWS_PER_RANGE)
    if count > MAX_RANGES:
        return _walked_ranges(connection, relation, low, high)
    width = -(-(high - low + 1) // count)
    bounds = [(low + number * width, min(low + (number + 1) * width - 1, high)) for number in range(count)]
    return [Range(*bound) for bound in bounds]


def _walked_ranges(connection: apsw.Connection, relation: Relation, low: int, high: int) -> list[Range]:
    """Where rowids are far apart, and one of them may be alone, ranges follow the rows; that reads every key once."""
    behind = (
        f"SELECT max({relation.rowid}) FROM (SELECT {relation.rowid} FROM {relation.from_sql}"
        f" WHERE {relation.rowid} >= ? ORDER BY {relation.rowid} LIMIT {ROWS_PER_RANGE})"
    )
    ranges = []
    while low <= high:
        ((last,),) = connection.execute(behind, (low,))
        ranges.append(Range(low, last))
        if last == high:
            break
        low = last + 1
    return ranges


def _has_more_rows(connection: apsw.Connection, relation: Relation, count: int) -> bool:
    """Rowids may be far apart: a thousand of them can span the range of a billion."""
    return connection.execute(f"SELECT 1 FROM {relation.from_sql} LIMIT 1 OFFSET ?", (count,)).fetchone() is not None


def read_rows(connection: apsw.Connection, relation: Relation, part: Range, *, ordered: bool = False) -> Iterator[Row]:
    """The rows of one range in the relation's column order, as SQLite holds them."""
    columns = ", ".join(map(quote_identifier, relation.columns))
    return connection.execute(*_select(relation, part, columns or "NULL", ordered))


def read_rows_carefully(
    connection: apsw.Connection, relation: Relation, part: Range, encoding: str, *, ordered: bool = False
) -> Iterator[tuple[int | None, Row]]:
    """(rowid, row) for each row of the range; rowid is None where the relation has none. Never raises for a value."""
    shapes = [_shapes(relation.columns[n : n + SHAPES]) for n in range(0, len(relation.columns), SHAPES)]
    careful = _careful if relation.rowid else _bytes_of_text
    columns = ", ".join([relation.rowid or "NULL", *shapes, *map(careful, relation.columns)])
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH)
    if relation.rowid is None:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    try:
        for rowid, *cells in connection.execute(*_select(relation, part, columns, ordered)):
            shape = " ".join(cells[: len(shapes)]).split()
            values = zip(relation.columns, shape[::2], map(int, shape[1::2]), cells[len(shapes) :], strict=True)
            yield rowid, tuple([_value(relation, rowid, encoding, *value) for value in values])
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)


def large_value(connection: apsw.Connection, value: LargeValue, chunk_bytes: int = 1024 * 1024) -> Iterator[bytes]:
    """The value's bytes in chunks; text comes in the database's encoding."""
    with connection.blob_open("main", value.table, value.column, value.rowid, False) as blob:
        while chunk := blob.read(chunk_bytes):
            yield chunk


def batch_rows(columns: int) -> int:
    """How many rows of so many columns are held at a time: fewer of a wide table."""
    return max(1, min(BATCH_ROWS, BATCH_VALUES // max(1, columns)))


def take_census(connection: apsw.Connection, relation: Relation, part: Range, encoding: str) -> TableCensus:
    """The census of one range."""
    size = batch_rows(len(relation.columns))
    census = TableCensus.empty(len(relation.columns))
    try:
        with small_values(connection):
            rows = read_rows(connection, relation, part)
            while batch := list(itertools.islice(rows, size)):
                census.add(batch)
            return census
    except (UnicodeDecodeError, apsw.TooBigError):
        census = TableCensus.empty(len(relation.columns))
        careful = (row for _, row in read_rows_carefully(connection, relation, part, encoding))
        examined = (tuple(_examined(connection, value, encoding) for value in row) for row in careful)
        for batch in bounded_batches(examined, size):
            census.add(batch)
        return census


def _examined(connection: apsw.Connection, value: Value, encoding: str) -> Value:
    """A large text with what there is to know about it, read in chunks."""
    if not isinstance(value, LargeValue) or value.storage_class != "text":
        return value
    decoder = codecs.getincrementaldecoder(encoding)()
    characters, has_nul = 0, False
    try:
        for chunk in itertools.chain(large_value(connection, value), (b"",)):
            text = decoder.decode(chunk, final=not chunk)
            characters += len(text)
            has_nul = has_nul or "\0" in text
    except UnicodeDecodeError:
        return replace(value, broken=True)
    return replace(value, characters=characters, has_nul=has_nul)


@contextmanager
def small_values(connection: apsw.Connection) -> Iterator[None]:
    """Within the block a larger value than a batch may hold raises TooBigError; the careful way takes over."""
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_BATCHED_VALUE_BYTES)
    try:
        yield
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)


def bounded_batches(rows: Iterable[Row], most_rows: int) -> Iterator[list[Row]]:
    """Batches of at most so many rows and about BATCH_BYTES, for rows that may hold large values."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if len(batch) == most_rows or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _select(relation: Relation, part: Range, columns: str, ordered: bool) -> tuple[str, Sequence[int]]:
    sql, bindings = f"SELECT {columns} FROM {relation.from_sql}", ()
    if part.low is not None:
        sql += f" WHERE {relation.rowid} BETWEEN ? AND ?"
        bindings = (part.low, part.high)  # type: ignore[assignment]
    if ordered:
        # A query's columns inherit their tables' collations; a table's key is ordered by only where that is BINARY.
        collation = " COLLATE BINARY" if relation.query else ""
        sql += " ORDER BY " + ", ".join(quote_identifier(name) + collation for name in relation.order)
    return sql, bindings


def _shapes(columns: Sequence[str]) -> str:
    """Storage class and size in bytes of several columns in one text: a wide table has no room for more results."""
    names = map(quote_identifier, columns)
    return " || ' ' || ".join(f"typeof({name}) || ' ' || coalesce(octet_length({name}), 0)" for name in names)


def _careful(column: str) -> str:
    """The value: text as its raw bytes, NULL in place of what is too large."""
    name = quote_identifier(column)
    return (
        f"CASE WHEN octet_length({name}) > {MAX_VALUE_BYTES} THEN NULL"
        f" WHEN typeof({name}) = 'text' THEN CAST({name} AS BLOB) ELSE {name} END"
    )


def _bytes_of_text(column: str) -> str:
    """The value whole, however large: SQLite reads parts of a value only where there is a rowid."""
    name = quote_identifier(column)
    return f"CASE WHEN typeof({name}) = 'text' THEN CAST({name} AS BLOB) ELSE {name} END"


def _value(
    relation: Relation, rowid: int | None, encoding: str, column: str, kind: str, size: int, value: Value
) -> Value:
    if kind in ("text", "blob") and value is None:
        assert rowid is not None
        return LargeValue(relation.name, column, rowid, kind, size)
    if kind != "text":
        return value
    assert isinstance(value, bytes)
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return BrokenText(value)
