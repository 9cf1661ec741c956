"""Single queries that the parent asks a worker, so that they are answered from the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.core.errors import PlanError
from migrator.source.queries import Described, QueryRefused, describe
from migrator.source.rows import Range
from migrator.tasks.reading import copied
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class DescribeTask:
    """The columns of a merging query and the tables it reads.

    Raises PlanError for anything that is not one reading statement.
    """

    table: str
    query: str

    def run(self, context: Context) -> Described:
        try:
            return describe(context.source, self.query)
        except QueryRefused as error:
            raise PlanError(f"The source of [tables.{self.table}] cannot be used.", f"{error}.") from error


@dataclass(frozen=True)
class ReadTask:
    """The rows of a query that the migrator itself wrote."""

    query: str
    bindings: tuple[object, ...] = ()

    def run(self, context: Context) -> Sequence[tuple[object, ...]]:
        return context.source.execute(self.query, self.bindings).fetchall()


@dataclass(frozen=True)
class RangesTask:
    """The rowid ranges of a table, as the snapshot has them."""

    table: WorkTable

    def run(self, context: Context) -> list[Range]:
        return copied(context, self.table).ranges()
