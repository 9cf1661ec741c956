"""Where a run's rows come from, and what only that can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from psycopg import sql

from migrator.core.blueprint import CarriedView
from migrator.core.errors import SourceError
from migrator.core.model import Schema
from migrator.core.plan import Plan
from migrator.source.snapshot import SnapshotMethod
from migrator.steps.covered import Covered, count_covered
from migrator.steps.identity import read_sequences
from migrator.tasks.query import DescribeTask, ViewTask
from migrator.workers import WorkerPool

MAX_VIEW_ROWS = 100_000
MAX_VIEW_BYTES = 256 * 1024 * 1024
MAX_VIEW_S = 60.0  # on either side
Rows = Sequence[tuple[object, ...]]


class NotCompared(Exception):
    """A view has no result to compare with; the message says why."""


class Origin(Protocol):
    @property
    def path(self) -> Path:
        """By which the journal recognises it."""

    @property
    def wal_bytes(self) -> int:
        """Size of the source's write-ahead log, which grows while its readers are pinned."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Target table → rows of it that were rejected before there was a target."""

    @property
    def healed(self) -> int:
        """Values that were healed before there was a target."""

    def changed_tables(self) -> frozenset[str]:
        """Source tables with rows of either kind, in lower case."""

    def lines(self, name: str) -> Iterable[str]:
        """Of rejects.jsonl or healed.jsonl, about what became of rows before there was a target."""

    def sequences(self) -> Mapping[str, int]:
        """Table → the highest id that AUTOINCREMENT has given out."""

    def covered(self, rows_out: Mapping[str, int]) -> list[Covered]:
        """One for each merging query."""

    def view_rows(self, view: CarriedView) -> Rows:
        """What it gives in SQLite. Raises NotCompared."""

    def view_tables(self, view: CarriedView) -> frozenset[str]:
        """Every table that the view reads, also through other views, in lower case."""


@dataclass(frozen=True)
class Database:
    """A SQLite database, asked through workers that share one snapshot of it."""

    path: Path
    schema: Schema
    plan: Plan
    pool: WorkerPool
    method: SnapshotMethod

    @property
    def wal_bytes(self) -> int:
        return self.method.wal_bytes

    @property
    def rejected(self) -> Mapping[str, int]:
        return {}

    @property
    def healed(self) -> int:
        return 0

    def changed_tables(self) -> frozenset[str]:
        return frozenset()

    def lines(self, name: str) -> Iterable[str]:
        return ()

    def sequences(self) -> Mapping[str, int]:
        return read_sequences(self.pool)

    def covered(self, rows_out: Mapping[str, int]) -> list[Covered]:
        return count_covered(self.plan, self.schema, self.pool, rows_out)

    def view_rows(self, view: CarriedView) -> Rows:
        try:
            [(_, rows)] = self.pool.run([ViewTask(view.source, MAX_VIEW_ROWS, MAX_VIEW_BYTES, MAX_VIEW_S)])
        except SourceError as error:
            raise NotCompared(error.why) from None  # it fails in SQLite, whatever PostgreSQL does
        return rows  # type: ignore[no-any-return]

    def view_tables(self, view: CarriedView) -> frozenset[str]:
        name = sql.Identifier(view.source).as_string(None)
        [(_, described)] = self.pool.run([DescribeTask(view.source, f"SELECT * FROM main.{name}")])
        return frozenset(described.tables)
