"""Converted rows into PostgreSQL, each batch in a savepoint of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrator.target.binary import HEADER, TRAILER, RowEncoder
from migrator.target.large import LargeRow
from migrator.tasks.reading import Reading
from migrator.tasks.table import WorkTable


def copy_statement(table: WorkTable) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(column.target) for column in table.columns)
    listed = sql.SQL(" ({})").format(columns) if table.columns else sql.SQL("")
    return sql.SQL("COPY {}{} FROM STDIN (FORMAT BINARY)").format(table.identifier(), listed)


@dataclass(frozen=True)
class ServerSink:
    connection: psycopg.Connection
    reading: Reading
    table: WorkTable

    def send(self, rows: Sequence[Sequence[object]]) -> None:
        with (
            self.connection.transaction(),
            self.connection.cursor() as cursor,
            cursor.copy(copy_statement(self.table)) as copy,
        ):
            if self.table.columns:
                copy.set_types([cell.conversion.copy_type for cell in self.table.copied])
            for row in rows:
                copy.write_row(row)

    def send_large(self, row: Sequence[object]) -> None:
        encoder = RowEncoder([cell.conversion.copy_type for cell in self.table.copied], self.connection)
        large = LargeRow(encoder, self.reading.large, self.table.encoding)
        with (
            self.connection.transaction(),
            self.connection.cursor() as cursor,
            cursor.copy(copy_statement(self.table)) as copy,
        ):
            copy.write(HEADER)
            large.write(copy.write, row, [cell.plan.type.is_text for cell in self.table.copied])
            copy.write(TRAILER)
