"""The careful comparison of rows that have no order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from psycopg import sql

from migrator.core.compare import Comparison, Difference, Multiset
from migrator.core.findings import count_of
from migrator.core.values import LargeValue, show
from migrator.core.work import Cell
from migrator.source.rows import WHOLE, Row
from migrator.target.reader import array, select, stream
from migrator.tasks.careful import Careful, is_bounded, is_large

MAX_KEPT_HASHES = 5_000_000


class MultisetComparison(Careful):
    """Rows without an order: sums of hashes; only where the sums differ are the hashes themselves kept."""

    def run(self) -> Comparison:
        ours, theirs = self._sums(keep=False)
        if ours == theirs:
            self.comparison.rows = ours.count
            return self.comparison
        self._begin_again()
        if max(ours.count, theirs.count) > MAX_KEPT_HASHES:
            self.comparison.rows = ours.count
            summary = count_of(ours.count, "row"), f"{count_of(theirs.count, 'row')}, or others"
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
        digests = array([_large_digest(cell) for cell in self.table.cells if is_bounded(cell)], "text")
        places = [number for number, cell in enumerate(self.table.cells) if is_bounded(cell)]
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
            if isinstance(value, LargeValue) or (isinstance(value, (str, bytes)) and is_large(value)):
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
