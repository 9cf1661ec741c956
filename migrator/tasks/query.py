"""Single queries that the parent asks a worker, so that they are answered from the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from migrator.core.errors import PlanError, SourceError
from migrator.core.names import quote_identifier
from migrator.source.queries import Described, QueryRefused, describe, ending
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
class ViewTask:
    """The rows of a view. Raises SourceError where they are too many, too large, or take too long to find.

    A view can be small to write and have no end: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n).
    """

    name: str
    most_rows: int
    most_bytes: int
    within_s: float

    def run(self, context: Context) -> Sequence[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        size = 0
        try:
            with ending(context.source, self.within_s):
                for row in context.source.execute(f"SELECT * FROM main.{quote_identifier(self.name)}"):
                    rows.append(row)
                    size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
                    if len(rows) > self.most_rows:
                        raise self._declined(f"more than {self.most_rows:,} rows")
                    if size > self.most_bytes:
                        raise self._declined(f"more than {self.most_bytes:,} bytes")
        except UnicodeDecodeError:
            raise self._declined("a text in it is not valid in the database's encoding") from None
        except apsw.InterruptError:
            raise self._declined(f"more than {self.within_s:g} s in SQLite") from None
        return rows

    def _declined(self, why: str) -> SourceError:
        return SourceError(f"The view {self.name} cannot be compared.", why)


@dataclass(frozen=True)
class RangesTask:
    """The rowid ranges of a table, as the snapshot has them."""

    table: WorkTable

    def run(self, context: Context) -> list[Range]:
        return copied(context, self.table).ranges()
