"""The careful comparison of rows that both sides can give in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import psycopg
from psycopg import sql

from migrator.core.compare import Comparison, Difference, row_difference
from migrator.core.values import LargeValue
from migrator.core.work import Cell
from migrator.source.rows import Range, Row, batch_rows
from migrator.target.connection import connect
from migrator.target.reader import digest, large_chunks, select
from migrator.tasks.careful import Careful, bounds_sql, order_sql

CAREFUL_ROWS = 8  # where one of them may be large


class OrderedComparison(Careful):
    """Both sides in key order, walked together like a merge."""

    def run(self, part: Range) -> Comparison:
        query = select(
            self.table.identifier(), self.target_columns(), order_sql(self.table), bounds_sql(self.table, part)
        )
        source = self.source_rows(part, ordered=True)
        target = self.target_rows(query, CAREFUL_ROWS if self._holds_large(part) else batch_rows(len(self.table.cells)))
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
            with self.reading.small_values():
                for _ in self.reading.rows(part):
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
