"""What both careful comparisons share: rows of either side one by one, with rejects left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from migrator.core.compare import Comparison
from migrator.core.convert import Unfit
from migrator.core.model import fold
from migrator.core.values import MAX_VALUE_BYTES, LargeValue, Unreadable, Value
from migrator.core.work import Cell
from migrator.source.rows import Range, Row
from migrator.target.reader import array, bounded, digest, size, stream
from migrator.tasks.reading import compared
from migrator.tasks.table import WorkTable, row_identity
from migrator.workers import Context

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


def column_sql(cell: Cell) -> sql.Composable:
    return sql.SQL(cell.conversion.read).format(sql.Identifier(cell.plan.target))


def order_sql(table: WorkTable) -> list[sql.Composable]:
    """The key in SQLite's order: numbers as they are, text and bytes byte by byte."""
    parts: list[sql.Composable] = []
    for name in table.order:
        column = next(item for item in table.columns if fold(item.source) == fold(name))
        part: sql.Composable = sql.Identifier(column.target)
        if column.type.is_text and column.collation != "C":
            part = sql.SQL('{} COLLATE "C"').format(part)
        parts.append(part)
    return parts


def bounds_sql(table: WorkTable, part: Range) -> tuple[sql.Composable, int, int] | None:
    if part.low is None or part.high is None:
        return None
    return order_sql(table)[0], part.low, part.high


@dataclass
class Careful:
    """What both careful comparisons share: rows of either side, one by one, with rejects left out."""

    context: Context
    table: WorkTable
    explained: Explained
    comparison: Comparison = field(default_factory=Comparison)

    def __post_init__(self) -> None:
        self.reading = compared(self.context, self.table)
        self._rejected = Counter(dict(self.explained.rejected))

    def source_rows(self, part: Range, *, ordered: bool) -> Iterator[tuple[int | None, Row]]:
        rows = self.reading.rows_carefully(part, ordered=ordered)
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
        values = [bounded(column_sql(cell)) if is_bounded(cell) else column_sql(cell) for cell in self.table.cells]
        return [*values, array([size(column_sql(cell)) for cell in self.table.cells if is_bounded(cell)], "int")]

    def _decoded(self, row: Sequence[object]) -> list[object]:
        values: list[object] = []
        *items, sizes = row
        bytes_left = iter(sizes)  # type: ignore[call-overload]  # target_columns() has made an array of it
        for cell, value in zip(self.table.cells, items, strict=True):
            size_bytes = next(bytes_left) if is_bounded(cell) else None
            if size_bytes is not None and value is None:
                values.append(LargeValue(self.table.name, cell.plan.source, 0, _class(cell), size_bytes))
                continue
            readable = not isinstance(value, Unreadable)
            values.append(cell.conversion.inverse(value) if cell.conversion.inverse and readable else value)
        return values

    def digest(self, value: LargeValue | str | bytes) -> str:
        """Of a source value; one that SQLite could not read in chunks is there as a whole."""
        if isinstance(value, LargeValue):
            return digest(self.reading.large(value))
        return digest(iter([raw_bytes(value)]))

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


def is_bounded(cell: Cell) -> bool:
    return cell.plan.type.name in _BOUNDED


def is_large(value: str | bytes) -> bool:
    """Whether the target's side of the comparison sees a digest only."""
    return len(value) > MAX_VALUE_BYTES // 4 and len(raw_bytes(value)) > MAX_VALUE_BYTES


def raw_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _class(cell: Cell) -> str:
    return "text" if cell.plan.type.is_text else "blob"
