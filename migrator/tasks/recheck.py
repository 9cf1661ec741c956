"""Whether a unit that arrived in an earlier attempt would be the same today."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.source.rows import Range
from migrator.target.connection import target_errors
from migrator.target.journal import Unit
from migrator.tasks.copy import copy_straight
from migrator.tasks.digest import DryWriter, digest_of_values
from migrator.tasks.reading import Reading, copied
from migrator.tasks.rejecting import UNEXPECTED_VALUE
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class RecheckTask:
    """Reads the range again and compares its digest; nothing is sent."""

    table: WorkTable
    unit: Unit

    def run(self, context: Context) -> bool:
        assert context.target is not None
        part, reading = Range(self.unit.low, self.unit.high), copied(context, self.table)
        if self.unit.careful:
            return digest_of_values(reading, part) == self.unit.digest
        with target_errors(context.target, f"a look at {self.table.target}"):
            return self._digest_as_sent(context, reading, part) == (self.unit.rows, self.unit.digest)

    def _digest_as_sent(self, context: Context, reading: Reading, part: Range) -> tuple[int, bytes] | None:
        """(rows, digest), or None where the rows cannot go straight any more."""
        try:
            with (
                context.connection.transaction(force_rollback=True),
                context.connection.cursor() as cursor,
                reading.small_values(),
            ):
                writer = DryWriter(cursor, context.report)
                rows = copy_straight(context, reading, self.table, part, cursor, writer)
                return rows, writer.digest
        except UNEXPECTED_VALUE:
            return None
