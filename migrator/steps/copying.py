"""The copy of a run: the largest table first, and a table's indexes as soon as its last range has arrived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.progress import Progress
from migrator.core.ranges import uncovered
from migrator.source.rows import WHOLE, Range
from migrator.steps.building import Builder
from migrator.steps.resume import Standing
from migrator.target.journal import Journal, Unit
from migrator.tasks.copy import CopyTask
from migrator.tasks.query import RangesTask
from migrator.tasks.table import WorkTable
from migrator.workers import WorkerPool


@dataclass
class Copied:
    """Rows that arrived, by source table; rows that were rejected, by target table."""

    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    def add(self, table: WorkTable, unit: Unit) -> None:
        self.rows[table.name] += unit.rows
        self.rejected[table.target] += unit.rejected


def copy_tables(
    pool: WorkerPool,
    tables: Sequence[WorkTable],
    blueprint: Blueprint,
    standing: Standing,
    journal: Journal,
    builder: Builder,
    progress: Progress,
) -> Copied:
    """Copy every range that does not stand yet, and hand each finished table's missing indexes to the builder.

    A range's rejects and healed values are in the journal when its rows are. Raises TargetError, SourceError.
    """
    tasks = _tasks(pool, tables, standing.units, journal)
    left = Counter(task.table.target for task in tasks)
    indexes = defaultdict(list)
    for statement in blueprint.phase(Phase.INDEX):
        if not standing.has(statement):
            indexes[statement.table].append(statement)
    for finished in [name for name in indexes if not left[name]]:
        builder.submit(indexes.pop(finished))
    copied = Copied()
    for table in tables:
        for unit in standing.units.get(table.target, ()):
            copied.add(table, unit)
    for task, unit in pool.run(tasks, progress.advance):
        assert isinstance(task, CopyTask)
        copied.add(task.table, unit)
        left[task.table.target] -= 1
        if not left[task.table.target]:
            builder.submit(indexes.pop(task.table.target, []))
    return copied


def _tasks(
    pool: WorkerPool, tables: Sequence[WorkTable], units: Mapping[str, Sequence[Unit]], journal: Journal
) -> list[CopyTask]:
    parts = parts_left(pool, tables, units)
    largest_first = sorted(tables, key=lambda table: len(parts[table.target]), reverse=True)
    return [CopyTask(table, part, journal) for table in largest_first for part in parts[table.target]]


class Bounded(Protocol):
    """What was made of a range of rowids, or of a whole table."""

    @property
    def low(self) -> int | None: ...
    @property
    def high(self) -> int | None: ...


def parts_left(
    pool: WorkerPool, tables: Sequence[WorkTable], units: Mapping[str, Sequence[Bounded]]
) -> dict[str, list[Range]]:
    """Target table → the ranges that no unit stands for."""
    left = {table.target: [] if units.get(table.target) else [WHOLE] for table in tables}
    for task, ranges in pool.run([RangesTask(table) for table in tables if table.relation.rowid]):
        assert isinstance(task, RangesTask)
        name = task.table.target
        done = [(unit.low, unit.high) for unit in units.get(name, ())]
        wanted = [(part.low, part.high) for part in ranges]
        left[name] = [Range(*part) for part in uncovered(wanted, done)]  # type: ignore[arg-type]
    return left
