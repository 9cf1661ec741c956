"""Copying one range: straight through if every value is what it should be, row by row with rejects if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.copy import Writer

from migrator.core.work import Healed, Reject
from migrator.source.rows import Range
from migrator.target.connection import target_errors
from migrator.target.journal import Journal, Unit
from migrator.tasks.digest import DigestingWriter, digest_of_values
from migrator.tasks.reading import Reading, copied
from migrator.tasks.rejecting import UNEXPECTED_VALUE, CarefulCopy
from migrator.tasks.server import ServerSink, copy_statement
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class CopyTask:
    """One range and its line in the journal, in one transaction: after an error nothing of it is left in the target."""

    table: WorkTable
    part: Range
    journal: Journal

    def run(self, context: Context) -> Unit:
        """Raises TargetError where PostgreSQL refuses more than a row."""
        assert context.target is not None
        with target_errors(context.target, f"rows of {self.table.target}"):
            return self._copy(context)

    def _copy(self, context: Context) -> Unit:
        before, reading = context.rows, copied(context, self.table)
        try:
            with context.connection.transaction(), reading.small_values():
                with context.connection.cursor() as cursor:
                    writer = DigestingWriter(cursor, context.report)
                    rows = copy_straight(context, reading, self.table, self.part, cursor, writer)
                return self._arrived(context, rows, False, writer.digest)
        except UNEXPECTED_VALUE:
            context.report(before - context.rows)
        with context.connection.transaction():
            careful = CarefulCopy(context, self.table, reading, ServerSink(context.connection, reading, self.table))
            careful.run(self.part)
            digest = digest_of_values(reading, self.part)
            return self._arrived(context, careful.rows, True, digest, careful.rejects, careful.healed)

    def _arrived(
        self,
        context: Context,
        rows: int,
        careful: bool,
        digest: bytes,
        rejects: Sequence[Reject] = (),
        healed: Sequence[Healed] = (),
    ) -> Unit:
        unit = Unit(self.table.target, self.part.low, self.part.high, rows, len(rejects), careful, digest)
        self.journal.add_unit(context.connection, unit, rejects, healed)
        return unit


def copy_straight(
    context: Context, reading: Reading, table: WorkTable, part: Range, cursor: psycopg.Cursor, writer: Writer
) -> int:
    """Send the rows as they are to the writer and return how many they were. Raises what is in UNEXPECTED_VALUE."""
    with cursor.copy(copy_statement(table), writer=writer) as copy:
        return reading.send(copy, table.copied, part, context.report)
