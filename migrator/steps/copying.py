"""The copy of a run: the largest table first, and a table's indexes as soon as its last range has arrived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.progress import Progress
from migrator.journal import RunFolder
from migrator.source.rows import WHOLE
from migrator.steps.building import Builder
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


def copy_tables(
    pool: WorkerPool,
    tables: Sequence[WorkTable],
    blueprint: Blueprint,
    builder: Builder,
    folder: RunFolder,
    progress: Progress,
) -> Copied:
    """Copy every range and hand each finished table's indexes to the builder. Raises TargetError, SourceError.

    Rejects and healed values are in the run folder when a range's rows count as arrived.
    """
    tasks = _tasks(pool, tables)
    left = Counter(task.table.target for task in tasks)
    indexes = defaultdict(list)
    for statement in blueprint.phase(Phase.INDEX):
        indexes[statement.table].append(statement)
    for empty in [name for name in indexes if not left[name]]:
        builder.submit(indexes.pop(empty))
    copied = Copied()
    for task, result in pool.run(tasks, progress.advance):
        assert isinstance(task, CopyTask)
        folder.add_rejects(result.rejects)
        folder.add_healed(result.healed)
        copied.rows[task.table.name] += result.rows
        copied.rejected[task.table.target] += len(result.rejects)
        left[task.table.target] -= 1
        if not left[task.table.target]:
            builder.submit(indexes.pop(task.table.target, []))
    return copied


def _tasks(pool: WorkerPool, tables: Sequence[WorkTable]) -> list[CopyTask]:
    ranged = [table for table in tables if table.relation.rowid]
    parts = {table.target: [WHOLE] for table in tables}
    for table in ranged:
        [(_, parts[table.target])] = pool.run([RangesTask(table.relation)])
    largest_first = sorted(tables, key=lambda table: len(parts[table.target]), reverse=True)
    return [CopyTask(table, part) for table in largest_first for part in parts[table.target]]
