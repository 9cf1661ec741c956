"""Comparing one range: the raw source value against the inverse of the decoded target value.

Nothing of the copy is used but the plan: SQLite's own values on one side, psycopg's loaders on the other.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw
import psycopg
from psycopg import sql

from migrator.core.compare import Comparison, Difference, Multiset, identical, row_difference
from migrator.core.convert import Unfit
from migrator.core.model import fold
from migrator.core.values import MAX_VALUE_BYTES, LargeValue, Unreadable, Value, show
from migrator.core.work import Cell
from migrator.source.rows import WHOLE, Range, Row, large_value, read_rows, read_rows_carefully, small_values
from migrator.target.connection import connect
from migrator.target.reader import array, batches, bounded, digest, large_chunks, select, size, stream
from migrator.tasks.table import WorkTable, row_identity
from migrator.workers import Context

BATCH_ROWS = 1_000
CAREFUL_ROWS = 8
MAX_KEPT_HASHES = 5_000_000
_BOUNDED = {"text", "varchar", "bytea"}


@dataclass(frozen=True)
class Explained:
    """What the run has reported, and may therefore differ: rejected rows with their number, and nulled references."""

    rejected: tuple[tuple[object, int], ...] = ()  # (row identity, how many)
    nulled: frozenset[tuple[str, object]] = frozenset()  # (source column, row identity)

    def within(self, part: Range) -> Explained:
        """What concerns one range of a table whose key is its rowid."""
        return Explained(
            tuple(item for item in self.rejected if _lies_in(item[0], part)),
            frozenset(item for item in self.nulled if _lies_in(item[1], part)),
        )


def _lies_in(identity: Any, part: Range) -> bool:
    """Identities of such a table are ("key", rowid)."""
    return part.low is None or part.high is None or part.low <= identity[1] <= part.high


@dataclass(frozen=True)
class VerifyTask:
    """One range of a table whose rows have an order, or a whole table as a multiset."""

    table: WorkTable
    part: Range
    explained: Explained

    def run(self, context: Context) -> Comparison:
        before = context.rows
        if not self.explained.rejected and not self.explained.nulled and (straight := self._straight(context)):
            return straight
        context.report(before - context.rows)
        if self.table.order:
            return _OrderedComparison(context, self.table, self.explained).run(self.part)
        return _MultisetComparison(context, self.table, self.explained).run()

    def _straight(self, context: Context) -> Comparison | None:
        """The comparison if nothing differs and every value is small and valid; None says: look closer."""
        compare = _compare_straight if self.table.order else _sum_straight
        try:
            with small_values(context.source):
                return compare(context, self.table, self.part)
        except (UnicodeDecodeError, apsw.TooBigError, psycopg.DataError):
            return None


def _sum_straight(context: Context, table: WorkTable, part: Range) -> Comparison | None:
    """Sums of row hashes on both sides."""
    columns = [_column(cell) for cell in table.cells]
    source = read_rows(context.source, table.reading, part)
    target = stream(context.connection, select(table.identifier(), columns), BATCH_ROWS)
    transformers = _transformers(table)
    sums = []
    reports: tuple[Callable[[int], None], ...] = (context.report, lambda _: None)
    for rows, steps, report in zip((source, target), transformers, reports, strict=True):
        multiset = Multiset()
        for batch in batches(rows, BATCH_ROWS):
            for row in _transformed(batch, steps):
                multiset.add(row)
            report(len(batch))
        sums.append(multiset)
    return Comparison(rows=sums[0].count) if sums[0] == sums[1] else None


def _compare_straight(context: Context, table: WorkTable, part: Range) -> Comparison | None:
    """Both sides in the same order, batch by batch."""
    source = read_rows(context.source, table.reading, part, ordered=True)
    columns = [_column(cell) for cell in table.cells]
    target = stream(
        context.connection, select(table.identifier(), columns, _order(table), _bounds(table, part)), BATCH_ROWS
    )
    ours, theirs = _transformers(table)
    comparison = Comparison()
    try:
        for batch in batches(source, BATCH_ROWS):
            other = list(itertools.islice(target, BATCH_ROWS))
            if len(batch) != len(other) or not identical(_transformed(batch, ours), _transformed(other, theirs)):
                return None
            comparison.rows += len(batch)
            context.report(len(batch))
        return comparison if next(target, None) is None else None
    finally:
        target.close()  # type: ignore[attr-defined]  # a generator


Transformer = list[tuple[int, Callable[..., object]]]


def _transformers(table: WorkTable) -> tuple[Transformer, Transformer]:
    """Per column that needs it: source → canonical, target → inverse."""
    ours: Transformer = [
        (n, cell.conversion.canonical) for n, cell in enumerate(table.cells) if cell.conversion.canonical
    ]
    theirs: Transformer = [
        (n, cell.conversion.inverse) for n, cell in enumerate(table.cells) if cell.conversion.inverse
    ]
    return ours, theirs


def _transformed(batch: Sequence[Sequence[object]], steps: Transformer) -> Sequence[Sequence[object]]:
    if not steps:
        return batch
    columns: list[Sequence[object]] = list(zip(*batch, strict=True))
    for number, step in steps:
        columns[number] = tuple([None if value is None else step(value) for value in columns[number]])
    return list(zip(*columns, strict=True))


def _column(cell: Cell) -> sql.Composable:
    return sql.SQL(cell.conversion.read).format(sql.Identifier(cell.plan.target))


def _order(table: WorkTable) -> list[sql.Composable]:
    """The key in SQLite's order: numbers as they are, text and bytes byte by byte."""
    parts: list[sql.Composable] = []
    for name in table.order:
        column = next(item for item in table.columns if fold(item.source) == fold(name))
        part: sql.Composable = sql.Identifier(column.target)
        if column.type.is_text and column.collation != "C":
            part = sql.SQL('{} COLLATE "C"').format(part)
        parts.append(part)
    return parts


def _bounds(table: WorkTable, part: Range) -> tuple[sql.Composable, int, int] | None:
    if part.low is None or part.high is None:
        return None
    return _order(table)[0], part.low, part.high


@dataclass
class _Careful:
    """What both careful comparisons share: rows of either side, one by one, with rejects left out."""

    context: Context
    table: WorkTable
    explained: Explained
    comparison: Comparison = field(default_factory=Comparison)

    def __post_init__(self) -> None:
        self._rejected = Counter(dict(self.explained.rejected))

    def source_rows(self, part: Range, *, ordered: bool) -> Iterator[tuple[int | None, Row]]:
        rows = read_rows_carefully(self.context.source, self.table.reading, part, self.table.encoding, ordered=ordered)
        for rowid, row in rows:
            copied = row[: len(self.table.columns)]
            if self.explained.rejected and self._was_rejected(copied, rowid):
                self.comparison.rejected += 1
                continue
            self.context.report(1)
            yield rowid, row

    def _was_rejected(self, row: Row, rowid: int | None) -> bool:
        """Known by its key or rowid; a child that followed its parent and has neither, by its values."""
        identities = [self.table.identity_of(row, rowid)] + ([] if self.table.primary else [row_identity(row)])
        for identity in identities:
            if self._rejected[identity]:
                self._rejected[identity] -= 1
                return True
        return False

    def target_rows(self, query: sql.Composed, size: int) -> Iterator[list[object]]:
        for row in stream(self.context.connection, query, size, tolerant=True):
            yield self._decoded(row)

    def target_columns(self) -> list[sql.Composable]:
        """Every value, NULL in place of what is too large, and behind them the sizes of those that could be."""
        values = [bounded(_column(cell)) if _is_bounded(cell) else _column(cell) for cell in self.table.cells]
        return [*values, array([size(_column(cell)) for cell in self.table.cells if _is_bounded(cell)], "int")]

    def _decoded(self, row: Sequence[object]) -> list[object]:
        values: list[object] = []
        *items, sizes = row
        bytes_left = iter(sizes)  # type: ignore[call-overload]  # target_columns() has made an array of it
        for cell, value in zip(self.table.cells, items, strict=True):
            size_bytes = next(bytes_left) if _is_bounded(cell) else None
            if size_bytes is not None and value is None:
                values.append(LargeValue(self.table.name, cell.plan.source, 0, _class(cell), size_bytes))
                continue
            readable = not isinstance(value, Unreadable)
            values.append(cell.conversion.inverse(value) if cell.conversion.inverse and readable else value)
        return values

    def digest(self, value: LargeValue | str | bytes) -> str:
        """Of a source value; one that SQLite could not read in chunks is there as a whole."""
        if isinstance(value, LargeValue):
            return digest(large_value(self.context.source, value))
        return digest(iter([_raw(value)]))

    def expected(self, rowid: int | None, row: Row) -> list[Value]:
        """What the target should hold of this row, in the source's terms."""
        values: list[Value] = []
        identity = self.table.identity_of(row, rowid) if self.explained.nulled else None
        for cell, value in zip(self.table.cells, row, strict=True):
            if self.explained.nulled and (cell.plan.source, identity) in self.explained.nulled:
                self.comparison.healed += 1
                values.append(None)
                continue
            try:
                wanted, healed = cell.expected(value)
                self.comparison.healed += healed
            except Unfit:
                wanted = value  # nothing in the target can be it, so the difference will show
            values.append(wanted)
        return values


def _is_bounded(cell: Cell) -> bool:
    return cell.plan.type.name in _BOUNDED


def _is_large(value: str | bytes) -> bool:
    """Whether the target's side of the comparison sees a digest only."""
    return len(value) > MAX_VALUE_BYTES // 4 and len(_raw(value)) > MAX_VALUE_BYTES


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _class(cell: Cell) -> str:
    return "text" if cell.plan.type.is_text else "blob"


class _OrderedComparison(_Careful):
    """Both sides in key order, walked together like a merge."""

    def run(self, part: Range) -> Comparison:
        query = select(self.table.identifier(), self.target_columns(), _order(self.table), _bounds(self.table, part))
        source = self.source_rows(part, ordered=True)
        target = self.target_rows(query, CAREFUL_ROWS if self._holds_large(part) else BATCH_ROWS)
        ours, theirs = next(source, None), next(target, None)
        while ours or theirs:
            where = self._where(ours[1] if ours else None, theirs)
            if where <= 0 and ours:
                if where < 0:
                    self._missing(*ours)
                else:
                    assert theirs is not None
                    self._compare(*ours, theirs)
                ours = next(source, None)
            if where >= 0:
                if where > 0 and theirs is not None:
                    self._extra(theirs)
                theirs = next(target, None)
        return self.comparison

    def _holds_large(self, part: Range) -> bool:
        """Whether the careful path was taken because of large values; then few rows are fetched at a time."""
        try:
            with small_values(self.context.source):
                for _ in read_rows(self.context.source, self.table.reading, part):
                    pass
        except (apsw.TooBigError, UnicodeDecodeError):
            return True
        return False

    def _numbers(self) -> list[int]:
        return self.table.numbers(self.table.order)

    def _where(self, ours: Row | None, theirs: Sequence[object] | None) -> int:
        """-1 if the source's row comes first, 1 if the target's does, 0 if both have the same key."""
        if ours is None or theirs is None:
            return 1 if ours is None else -1
        for number in self._numbers():
            one, other = _sortable(ours[number]), _sortable(theirs[number])
            if one != other:
                return -1 if one < other else 1
        return 0

    def _key(self, row: Sequence[object]) -> dict[str, object]:
        return self.table.key_of(tuple(row), None) or {  # type: ignore[arg-type]
            name: row[number] for name, number in zip(self.table.order, self._numbers(), strict=True)
        }

    def _missing(self, rowid: int | None, row: Row) -> None:
        self.comparison.rows += 1
        self.comparison.add(Difference(self.table.name, self._key(row), None, "a row", "no row"))

    def _extra(self, row: Sequence[object]) -> None:
        self.comparison.add(Difference(self.table.name, self._key(row), None, "no row", "a row"))

    def _compare(self, rowid: int | None, row: Row, target: list[object]) -> None:
        self.comparison.rows += 1
        expected = self.expected(rowid, row)
        for number, cell in enumerate(self.table.cells):
            wanted = expected[number]
            if isinstance(target[number], LargeValue) and isinstance(wanted, (LargeValue, str, bytes)):
                target[number] = wanted if self._same_large(row, wanted, cell) else target[number]
        names = [cell.plan.source for cell in self.table.cells]
        for difference in row_difference(self.table.name, self._key(row), names, expected, target):
            self.comparison.add(difference)

    def _same_large(self, row: Row, wanted: LargeValue | str | bytes, cell: Cell) -> bool:
        key = [(sql.Identifier(self.table.columns[number].target), row[number]) for number in self._numbers()]
        theirs = large_chunks(
            self._second_connection(),
            self.table.identifier(),
            sql.Identifier(cell.plan.target),
            key,
            cell.plan.type.is_text,
        )
        return self.digest(wanted) == digest(theirs)

    def _second_connection(self) -> psycopg.Connection:
        """The stream occupies the worker's own connection."""
        assert self.context.target is not None
        if "second" not in self.context.cache:
            self.context.cache["second"] = connect(self.context.target)
        connection: psycopg.Connection = self.context.cache["second"]
        return connection


def _sortable(value: object) -> Any:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


class _MultisetComparison(_Careful):
    """Rows without an order: sums of hashes; only where the sums differ are the hashes themselves kept."""

    def run(self) -> Comparison:
        ours, theirs = self._sums(keep=False)
        if ours == theirs:
            self.comparison.rows = ours.count
            return self.comparison
        self._begin_again()
        if max(ours.count, theirs.count) > MAX_KEPT_HASHES:
            self.comparison.rows = ours.count
            summary = f"{ours.count:,} rows", f"{theirs.count:,} rows, or others"
            self.comparison.add(Difference(self.table.name, {}, None, *summary))
            return self.comparison
        return self._explain()

    def _begin_again(self) -> None:
        self.comparison = Comparison()
        self._rejected = Counter(dict(self.explained.rejected))

    def _sums(self, keep: bool) -> tuple[Multiset, Multiset]:
        ours, theirs = Multiset(keep), Multiset(keep)
        for rowid, row in self.source_rows(WHOLE, ordered=False):
            ours.add(self._hashable_source(rowid, row))
        for values in self._target():
            theirs.add(values)
        return ours, theirs

    def _target(self) -> Iterator[list[object]]:
        digests = array([_large_digest(cell) for cell in self.table.cells if _is_bounded(cell)], "text")
        places = [number for number, cell in enumerate(self.table.cells) if _is_bounded(cell)]
        query = select(self.table.identifier(), [*self.target_columns(), digests])
        for *row, found in stream(self.context.connection, query, 64, tolerant=True):
            values = self._decoded(row)
            for number, text in zip(places, found, strict=True):  # type: ignore[call-overload]  # an array
                if isinstance(values[number], LargeValue):
                    values[number] = ("large", text)
            yield values

    def _hashable_source(self, rowid: int | None, row: Row) -> list[object]:
        values: list[object] = list(self.expected(rowid, row))
        for number, value in enumerate(values):
            if isinstance(value, LargeValue) or (isinstance(value, (str, bytes)) and _is_large(value)):
                values[number] = ("large", self.digest(value))
        return values

    def _explain(self) -> Comparison:
        """Which rows are on one side only, found by their hashes."""
        _, theirs = self._sums(keep=True)
        self._begin_again()
        assert theirs.hashes is not None
        for rowid, row in self.source_rows(WHOLE, ordered=False):
            self.comparison.rows += 1
            hashed = Multiset().add(self._hashable_source(rowid, row))
            if theirs.hashes[hashed]:
                theirs.hashes[hashed] -= 1
                continue
            key = self.table.key_of(row, rowid)
            self.comparison.add(Difference(self.table.name, key, None, _shown(row), "no such row"))
        left = +theirs.hashes
        for values in self._target() if left else ():
            hashed = Multiset().add(values)
            if left[hashed]:
                left[hashed] -= 1
                key = self.table.key_of(tuple(values), None)  # type: ignore[arg-type]
                self.comparison.add(Difference(self.table.name, key, None, "no such row", _shown(values)))
        return self.comparison


def _large_digest(cell: Cell) -> sql.Composable:
    column: sql.Composable = sql.Identifier(cell.plan.target)
    raw = sql.SQL("convert_to({}, 'UTF8')").format(column) if cell.plan.type.is_text else column
    return sql.SQL("CASE WHEN octet_length({}) > 8388608 THEN encode(sha256({}), 'hex') END").format(column, raw)


def _shown(row: Sequence[object]) -> str:
    return "(" + ", ".join(show(value, 24) for value in row) + ")"
