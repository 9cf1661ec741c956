"""Where a task finds the rows of its table: in the database, or in an export of it, which is a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

import apsw
import psycopg

from migrator.archive.manifest import read_manifest
from migrator.core.values import LargeValue
from migrator.core.work import Cell
from migrator.source.rows import (
    Range,
    Relation,
    Row,
    large_value,
    read_rows,
    read_rows_carefully,
    small_values,
    table_ranges,
)
from migrator.tasks.archived import ArchiveReading
from migrator.tasks.batches import prepared
from migrator.tasks.table import WorkTable
from migrator.workers import Context


class Reading(Protocol):
    """The rows of one table, the fast way and the careful way: see source/rows.py."""

    def ranges(self) -> list[Range]:
        """Ranges that together hold every row."""

    def rows(self, part: Range, *, ordered: bool = False) -> Iterator[Row]:
        """Raises UnicodeDecodeError or apsw.TooBigError where a value needs the careful way."""

    def rows_carefully(self, part: Range, *, ordered: bool = False) -> Iterator[tuple[int | None, Row]]:
        """(rowid or None, row); never raises for a value."""

    def send(self, copy: psycopg.Copy, cells: tuple[Cell, ...], part: Range, report: Callable[[int], None]) -> int:
        """Send the rows as they are, and return how many they were. Raises where one needs the careful way."""

    def small_values(self) -> AbstractContextManager[None]:
        """Within it, `rows` refuses values of which no batch may be held."""

    def large(self, value: LargeValue) -> Iterator[bytes]:
        """A large value of the row that was read last, in chunks."""


@dataclass(frozen=True)
class DatabaseReading:
    """Straight from SQLite."""

    connection: apsw.Connection
    relation: Relation
    encoding: str

    def ranges(self) -> list[Range]:
        return table_ranges(self.connection, self.relation)

    def rows(self, part: Range, *, ordered: bool = False) -> Iterator[Row]:
        return read_rows(self.connection, self.relation, part, ordered=ordered)

    def rows_carefully(self, part: Range, *, ordered: bool = False) -> Iterator[tuple[int | None, Row]]:
        return read_rows_carefully(self.connection, self.relation, part, self.encoding, ordered=ordered)

    def send(self, copy: psycopg.Copy, cells: tuple[Cell, ...], part: Range, report: Callable[[int], None]) -> int:
        copy.set_types([cell.conversion.copy_type for cell in cells])
        write, count = copy.write_row, 0
        for batch in prepared(self.rows(part), cells, attrgetter("fast")):
            for row in batch:
                write(row)
            count += len(batch)
            report(len(batch))
        return count

    def small_values(self) -> AbstractContextManager[None]:
        return small_values(self.connection)

    def large(self, value: LargeValue) -> Iterator[bytes]:
        return large_value(self.connection, value)


def copied(context: Context, table: WorkTable) -> Reading:
    """What goes to the target."""
    if context.path.is_dir():
        return _archived(context, table)
    return DatabaseReading(context.source, table.relation, table.encoding)


def compared(context: Context, table: WorkTable) -> Reading:
    """What is compared: also the columns that the target computes."""
    if context.path.is_dir():
        return _archived(context, table)
    return DatabaseReading(context.source, table.reading, table.encoding)


def _archived(context: Context, table: WorkTable) -> ArchiveReading:
    if "files" not in context.cache:
        context.cache["files"] = {item.target: item.files for item in read_manifest(context.path).tables}
    return ArchiveReading(context.path, table, context.cache["files"].get(table.target, ()))
