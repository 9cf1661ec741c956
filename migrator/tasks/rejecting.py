"""Row by row: every value converted and checked by itself; a row that cannot go becomes a reject, the others go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import apsw
import psycopg

from migrator.core.convert import Unfit
from migrator.core.values import LargeValue
from migrator.core.work import Healed, Reject, RowReject
from migrator.source.rows import Range, Row, batch_rows
from migrator.target.large import LargeUnfit
from migrator.tasks.reading import Reading
from migrator.tasks.table import WorkTable
from migrator.workers import Context

BATCH_BYTES = 16 * 1024 * 1024

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


class Sink(Protocol):
    """Where converted rows go. What raises has left nothing behind."""

    def send(self, rows: Sequence[Sequence[object]]) -> None:
        """Raises one of UNEXPECTED_VALUE where one of the rows is refused."""

    def send_large(self, row: Sequence[object]) -> None:
        """A row with a LargeValue in it. Raises LargeUnfit too."""


@dataclass
class CarefulCopy:
    context: Context
    table: WorkTable
    reading: Reading
    sink: Sink
    rows: int = 0
    rejects: list[Reject] = field(default_factory=list)
    healed: list[Healed] = field(default_factory=list)

    def run(self, part: Range) -> None:
        batch: list[_Ready] = []
        size, most_rows = 0, max(1, batch_rows(len(self.table.columns)) // 2)
        for ready in self._ready(part):
            if ready.large:
                self._send(batch)
                self._send_large(ready)
                batch, size = [], 0
                continue
            batch.append(ready)
            size += sum(len(value) for value in ready.values if isinstance(value, (str, bytes)))
            if len(batch) >= most_rows or size > BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        self._send(batch)

    def _ready(self, part: Range) -> Iterator[_Ready]:
        table = self.table
        for rowid, row in self.reading.rows_carefully(part):
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
            self.sink.send([ready.values for ready in batch])
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

    def _send_large(self, ready: _Ready) -> None:
        try:
            self.sink.send_large(ready.values)
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
