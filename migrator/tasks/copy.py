"""Copying one range: straight through if every value is what it should be, row by row with rejects if not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import apsw
import psycopg
from psycopg import sql
from psycopg.copy import Writer

from migrator.core.convert import Unfit
from migrator.core.values import LargeValue
from migrator.core.work import Cell, Healed, Reject, RowReject
from migrator.source.rows import Range, Row, large_value, read_rows, read_rows_carefully, small_values
from migrator.target.connection import target_errors
from migrator.target.journal import Journal, Unit
from migrator.target.large import LargeRow, LargeUnfit
from migrator.tasks.digest import DigestingWriter, digest_of_values
from migrator.tasks.table import WorkTable
from migrator.workers import Context

BATCH_ROWS = 500
BATCH_BYTES = 16 * 1024 * 1024
REPORT_ROWS = 1_000

# What a value that is not what the plan expects can raise on its way; anything else is a fault of the connection.
UNEXPECTED_VALUE = (
    Unfit,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
    apsw.TooBigError,
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.NotSupportedError,
    psycopg.errors.ProgramLimitExceeded,
)


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
        before = context.rows
        try:
            with context.connection.transaction(), small_values(context.source):
                with context.connection.cursor() as cursor:
                    writer = DigestingWriter(cursor)
                    rows = copy_straight(context, self.table, self.part, cursor, writer)
                return self._arrived(context, rows, False, writer.digest)
        except UNEXPECTED_VALUE:
            context.report(before - context.rows)
        with context.connection.transaction():
            careful = _CarefulCopy(context, self.table)
            careful.run(self.part)
            digest = digest_of_values(context, self.table, self.part)
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


def copy_statement(table: WorkTable) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(column.target) for column in table.columns)
    listed = sql.SQL(" ({})").format(columns) if table.columns else sql.SQL("")
    return sql.SQL("COPY {}{} FROM STDIN (FORMAT BINARY)").format(table.identifier(), listed)


def copy_straight(context: Context, table: WorkTable, part: Range, cursor: psycopg.Cursor, writer: Writer) -> int:
    """Send the rows as they are to the writer and return how many they were. Raises what is in UNEXPECTED_VALUE."""
    if not table.columns:
        raise ValueError("a table without columns has nothing to copy straight")
    prepare = _preparation(table.copied)
    rows = read_rows(context.source, table.relation, part)
    count = 0
    with cursor.copy(copy_statement(table), writer=writer) as copy:
        copy.set_types([cell.conversion.copy_type for cell in table.copied])
        write = copy.write_row
        while batch := list(itertools.islice(rows, REPORT_ROWS)):
            for row in prepare(batch):
                write(row)
            count += len(batch)
            context.report(len(batch))
    return count


Prepared = Iterable[Sequence[object]]


def _preparation(cells: tuple[Cell, ...]) -> Callable[[Sequence[Row]], Prepared]:
    """What a batch goes through on its way: nothing, checks that leave the rows as they are, or conversions."""
    steps = [(number, cell.conversion.fast) for number, cell in enumerate(cells) if cell.conversion.fast]
    if not steps:
        return lambda batch: batch
    if all(cells[number].conversion.inverse is None for number, _ in steps):
        return partial(_checked, steps)
    return partial(_converted, steps)


Steps = list[tuple[int, Callable[..., object]]]


def _checked(steps: Steps, batch: Sequence[Row]) -> Prepared:
    for number, check in steps:
        for value in [row[number] for row in batch]:
            if value is not None:
                check(value)
    return batch


def _converted(steps: Steps, batch: Sequence[Row]) -> Prepared:
    columns: list[Sequence[object]] = list(zip(*batch, strict=True))
    for number, step in steps:
        columns[number] = [None if value is None else step(value) for value in columns[number]]
    return zip(*columns, strict=True)


@dataclass
class _CarefulCopy:
    """Converts and checks every value by itself; a row that cannot go becomes a reject and the others go on."""

    context: Context
    table: WorkTable
    rows: int = 0
    rejects: list[Reject] = field(default_factory=list)
    healed: list[Healed] = field(default_factory=list)

    def run(self, part: Range) -> None:
        batch: list[_Ready] = []
        size = 0
        for ready in self._ready(part):
            if ready.large:
                self._send(batch)
                self._send_large(ready)
                batch, size = [], 0
                continue
            batch.append(ready)
            size += sum(len(value) for value in ready.values if isinstance(value, (str, bytes)))
            if len(batch) >= BATCH_ROWS or size > BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        self._send(batch)

    def _ready(self, part: Range) -> Iterator[_Ready]:
        table = self.table
        for rowid, row in read_rows_carefully(self.context.source, table.relation, part, table.encoding):
            try:
                carried = [cell.carry(value) for cell, value in zip(table.copied, row, strict=True)]
            except RowReject as reject:
                self._reject(row, rowid, reject.column, reject.storage_class, reject.value_hex, reject.reason)
                continue
            for cell, (_, policy) in zip(table.copied, carried, strict=True):
                if policy:
                    key, identity = table.key_of(row, rowid), table.identity_of(row, rowid)
                    self.healed.append(Healed(table.name, key, cell.plan.source, policy, identity))
            yield _Ready(row, rowid, tuple(value for value, _ in carried))

    def _send(self, batch: list[_Ready]) -> None:
        """Copy the batch; if PostgreSQL refuses it, halve it until the refused rows are alone."""
        if not batch:
            return
        try:
            with self.context.connection.transaction():
                self._copy(batch)
        except UNEXPECTED_VALUE as error:
            if len(batch) == 1:
                self._refused(batch[0], error)
                return
            middle = len(batch) // 2
            self._send(batch[:middle])
            self._send(batch[middle:])
            return
        self.rows += len(batch)
        self.context.report(len(batch))

    def _copy(self, batch: list[_Ready]) -> None:
        with self.context.connection.cursor() as cursor, cursor.copy(copy_statement(self.table)) as copy:
            if self.table.columns:
                copy.set_types([cell.conversion.copy_type for cell in self.table.copied])
            for ready in batch:
                copy.write_row(ready.values)

    def _send_large(self, ready: _Ready) -> None:
        try:
            with self.context.connection.transaction():
                LargeRow(self.context.connection, partial(large_value, self.context.source), self.table.encoding).copy(
                    copy_statement(self.table),
                    [cell.conversion.copy_type for cell in self.table.copied],
                    ready.values,
                    [cell.plan.type.is_text for cell in self.table.copied],
                )
        except LargeUnfit as error:
            value, cell = ready.values[error.position], self.table.copied[error.position]
            assert isinstance(value, LargeValue)
            self._reject(ready.row, ready.rowid, cell.plan.source, value.storage_class, None, str(error))
            return
        except UNEXPECTED_VALUE as error:
            self._refused(ready, error)
            return
        self.rows += 1
        self.context.report(1)

    def _refused(self, ready: _Ready, error: Exception) -> None:
        constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
        column = error.diag.column_name if isinstance(error, psycopg.Error) else None
        reason = str(error).strip().splitlines()[0]
        self._reject(ready.row, ready.rowid, column or constraint, None, None, f"PostgreSQL refused the row: {reason}")

    def _reject(
        self, row: Row, rowid: int | None, column: str | None, kind: str | None, value: str | None, reason: str
    ) -> None:
        key, identity = self.table.key_of(row, rowid), self.table.identity_of(row, rowid)
        self.rejects.append(Reject(self.table.name, key, column, kind, value, reason, rowid, identity))
        self.context.report(1)


@dataclass(frozen=True)
class _Ready:
    """A row that passed every check on this side, with its source form for the reject it may still become."""

    row: Row
    rowid: int | None
    values: tuple[object, ...]

    @property
    def large(self) -> bool:
        return any(isinstance(value, LargeValue) for value in self.values)
