"""Identity columns go on above everything that SQLite has ever given out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrator.core.plan import Plan
from migrator.target.catalog import sequence_positions
from migrator.tasks.query import ReadTask
from migrator.workers import WorkerPool

MAX_BIGINT = 2**63 - 1


@dataclass(frozen=True)
class IdentityColumn:
    """`floor` is the highest value that AUTOINCREMENT has given out; 0 where ids may be given again."""

    source: str
    table: str
    column: str
    floor: int


def identity_columns(plan: Plan, sequences: Mapping[str, int]) -> list[IdentityColumn]:
    columns = []
    for table in plan.carried:
        floor = sequences.get(table.source, 0)
        columns += [
            IdentityColumn(table.source, table.target, column.target, floor)
            for column in table.carried
            if column.identity
        ]
        if table.rowid:
            columns.append(IdentityColumn(table.source, table.target, table.rowid, 0))
    return columns


def read_sequences(pool: WorkerPool) -> dict[str, int]:
    """Table → highest value, from sqlite_sequence in the snapshot; empty where no table has AUTOINCREMENT."""
    [(_, found)] = pool.run([ReadTask("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'")])
    if not found:
        return {}
    [(_, rows)] = pool.run([ReadTask("SELECT name, max(seq) FROM sqlite_sequence WHERE seq IS NOT NULL GROUP BY name")])
    return {name: int(seq) for name, seq in rows if isinstance(seq, int)}


def next_value(connection: psycopg.Connection, schema: str, column: IdentityColumn) -> int:
    """What the next row should get: one above the highest id there is or was."""
    query = sql.SQL("SELECT max({}) FROM {}").format(
        sql.Identifier(column.column), sql.Identifier(schema, column.table)
    )
    row = connection.execute(query).fetchone()
    highest = max(column.floor, int(row[0]) if row and row[0] is not None else 0, 0)
    return min(highest + 1, MAX_BIGINT)


def restart(connection: psycopg.Connection, schema: str, columns: list[IdentityColumn]) -> None:
    for column in columns:
        name = sql.Identifier(schema, column.table).as_string(connection)
        connection.execute(
            "SELECT setval(pg_get_serial_sequence(%s, %s), %s, false)",
            (name, column.column, next_value(connection, schema, column)),
        )


def wrong_positions(
    connection: psycopg.Connection, schema: str, columns: list[IdentityColumn]
) -> list[tuple[IdentityColumn, int, int]]:
    """(column, least allowed, found) for every sequence that would give out an id again."""
    found = sequence_positions(connection, schema, [(column.table, column.column) for column in columns])
    wanted = [next_value(connection, schema, column) for column in columns]
    return [item for item in zip(columns, wanted, found, strict=True) if item[2] < item[1]]
