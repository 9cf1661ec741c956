"""Comparing one range: the raw source value against the inverse of the decoded target value.

Nothing of the copy is used but the plan: SQLite's own values on one side, psycopg's loaders on the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import apsw
import psycopg

from migrator.core.compare import Comparison, Multiset, identical
from migrator.source.rows import Range, batch_rows
from migrator.target.connection import target_errors
from migrator.target.reader import batches, select, stream
from migrator.tasks.batches import Steps, converted
from migrator.tasks.careful import Explained, bounds_sql, column_sql, order_sql
from migrator.tasks.multiset import MultisetComparison
from migrator.tasks.ordered import OrderedComparison
from migrator.tasks.reading import Reading, compared
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class VerifyTask:
    """One range of a table whose rows have an order, or a whole table as a multiset."""

    table: WorkTable
    part: Range
    explained: Explained

    def run(self, context: Context) -> Comparison:
        """Raises TargetError where PostgreSQL cannot be read."""
        assert context.target is not None
        with target_errors(context.target, f"reading {self.table.target}"):
            return self._compare(context)

    def _compare(self, context: Context) -> Comparison:
        before = context.rows
        if not self.explained.rejected and not self.explained.nulled and (straight := self._straight(context)):
            return straight
        context.report(before - context.rows)
        if self.table.order:
            return OrderedComparison(context, self.table, self.explained).run(self.part)
        return MultisetComparison(context, self.table, self.explained).run()

    def _straight(self, context: Context) -> Comparison | None:
        """The comparison if nothing differs and every value is small and valid; None says: look closer."""
        compare = _compare_straight if self.table.order else _sum_straight
        reading = compared(context, self.table)
        try:
            with reading.small_values():
                return compare(context, reading, self.table, self.part)
        except (UnicodeDecodeError, apsw.TooBigError, psycopg.DataError):
            return None


def _sum_straight(context: Context, reading: Reading, table: WorkTable, part: Range) -> Comparison | None:
    """Sums of row hashes on both sides."""
    columns, size = [column_sql(cell) for cell in table.cells], batch_rows(len(table.cells))
    source = reading.rows(part)
    target = stream(context.connection, select(table.identifier(), columns), size)
    transformers = _transformers(table)
    sums = []
    reports: tuple[Callable[[int], None], ...] = (context.report, lambda _: None)
    for rows, steps, report in zip((source, target), transformers, reports, strict=True):
        multiset = Multiset()
        for batch in batches(rows, size):
            for row in converted(steps, batch):
                multiset.add(row)
            report(len(batch))
        sums.append(multiset)
    return Comparison(rows=sums[0].count) if sums[0] == sums[1] else None


def _compare_straight(context: Context, reading: Reading, table: WorkTable, part: Range) -> Comparison | None:
    """Both sides in the same order, batch by batch."""
    source = reading.rows(part, ordered=True)
    columns, size = [column_sql(cell) for cell in table.cells], batch_rows(len(table.cells))
    target = stream(
        context.connection, select(table.identifier(), columns, order_sql(table), bounds_sql(table, part)), size
    )
    ours, theirs = _transformers(table)
    comparison = Comparison()
    try:
        for batch in batches(source, size):
            other = list(itertools.islice(target, size))
            if len(batch) != len(other) or not identical(converted(ours, batch), converted(theirs, other)):
                return None
            comparison.rows += len(batch)
            context.report(len(batch))
        return comparison if next(target, None) is None else None
    finally:
        target.close()  # type: ignore[attr-defined]  # a generator


def _transformers(table: WorkTable) -> tuple[Steps, Steps]:
    """Per column that needs it: source → canonical, target → inverse."""
    ours: Steps = [(n, cell.conversion.canonical) for n, cell in enumerate(table.cells) if cell.conversion.canonical]
    theirs: Steps = [(n, cell.conversion.inverse) for n, cell in enumerate(table.cells) if cell.conversion.inverse]
    return ours, theirs
