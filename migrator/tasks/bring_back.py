"""One table of PostgreSQL into a new SQLite file: in batches if every value is what it should be, else row by row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import apsw
import psycopg
from psycopg import sql

from migrator.core.convert import Unfit
from migrator.core.values import hexed, show, storage_class
from migrator.core.way_back import ColumnBack, TableBack
from migrator.core.work import Reject
from migrator.source.new_file import NewFile
from migrator.target.reader import batches, select, stream
from migrator.target.tables import largest_row_bytes
from migrator.tasks.batches import converted

BATCH_ROWS = 1_000
BATCH_BYTES = 32 * 1024 * 1024
REMEDY = "correct these rows in PostgreSQL"
_LONG = ("text", "varchar", "bytea", "json", "jsonb")

# What SQLite says of a row that it does not take; anything else is a fault of the file or of its disk.
REFUSED = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError, Unfit, OverflowError, TypeError, ValueError)

Row = tuple[object, ...]


def row_digest(row: Sequence[object]) -> bytes:
    """By which a row of PostgreSQL is known again in the same transaction."""
    return hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass
class Brought:
    """`rejected` counts rows by row_digest(); `batch_rows` is how many may be in memory at a time."""

    batch_rows: int
    rows: int = 0
    rejected: Counter[bytes] = field(default_factory=Counter)


def read_back(connection: psycopg.Connection, table: TableBack, batch_rows: int) -> Iterator[Row]:
    """PostgreSQL's rows, decoded by psycopg."""
    name = sql.SQL("ONLY {}" if table.only else "{}").format(sql.Identifier(table.schema, table.target))
    columns = [_read(column) for column in table.columns]
    rows = stream(connection, select(name, columns), batch_rows, tolerant=True)
    return rows if columns else (() for _ in rows)


def _read(column: ColumnBack) -> sql.Composable:
    return sql.SQL(column.read).format(sql.Identifier(column.target))


def batch_rows_of(connection: psycopg.Connection, table: TableBack) -> int:
    long = [_read(column) for column in table.columns if column.type_name in _LONG]
    largest = largest_row_bytes(connection, table.schema, table.target, long)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, largest)))


@dataclass
class BringBack:
    """`report` is told of rows as they arrive, `reject` of those that do not."""

    connection: psycopg.Connection
    file: NewFile
    table: TableBack
    report: Callable[[int], None]
    reject: Callable[[Iterable[Reject]], None]

    def run(self) -> Brought:
        """Raises psycopg's and apsw's errors."""
        brought = Brought(batch_rows_of(self.connection, self.table))
        self._steps = [(n, carry) for n, c in enumerate(self.table.columns) if (carry := c.carry)]
        self._names = [column.name for column in self.table.columns]
        rows = read_back(self.connection, self.table, brought.batch_rows)
        with self.file.transaction():
            for batch in batches(rows, brought.batch_rows):
                self._insert(batch, brought)
                self.report(len(batch))
        return brought

    def _insert(self, batch: list[Row], brought: Brought) -> None:
        try:
            with self.file.transaction():
                self.file.insert(self.table.name, self._names, self.table.nulls, converted(self._steps, batch))
            brought.rows += len(batch)
        except REFUSED:
            self._insert_carefully(batch, brought)

    def _insert_carefully(self, batch: list[Row], brought: Brought) -> None:
        rejects = []
        for row in batch:
            reject = self._insert_one(row)
            if reject is None:
                brought.rows += 1
            else:
                rejects.append(reject)
                brought.rejected[row_digest(row)] += 1
        self.reject(rejects)

    def _insert_one(self, row: Row) -> Reject | None:
        values: list[object] = list(row)
        for number, carry in self._steps:
            if row[number] is None:
                continue
            try:
                values[number] = carry(row[number])
            except Unfit as error:
                return self._rejected(row, str(error), self.table.columns[number], row[number])
        try:
            self.file.insert_one(self.table.name, self._names, self.table.nulls, values)
        except REFUSED as error:
            return self._rejected(row, f"SQLite refused the row: {error}")
        return None

    def _rejected(self, row: Row, reason: str, column: ColumnBack | None = None, value: object = None) -> Reject:
        return Reject(
            table=self.table.name,
            key=self.table.key_of(row),
            column=column.name if column else None,
            storage_class=storage_class(value) if column else None,
            value_hex=(hexed(value) if isinstance(value, (str, bytes, int, float)) else show(value))
            if column
            else None,
            reason=reason,
        )
