"""Rows without their parent, decided in staging before foreign keys are validated.

A parent that was rejected takes its children along, and theirs, unless the plan nulls the reference or leaves the key
NOT VALID. Everything that happens here is a reject or a healed value with the row's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from migrator.core.blueprint import Reference
from migrator.core.errors import PlanError
from migrator.core.plan import Orphans
from migrator.core.values import Value
from migrator.core.work import Healed, Reject
from migrator.target.connection import Target, target_errors
from migrator.target.journal import Journal
from migrator.tasks.table import WorkTable, row_identity


def settle_orphans(
    connection: psycopg.Connection,
    target: Target,
    references: Sequence[Reference],
    tables: Mapping[str, WorkTable],
    rejected: Counter[str],
    journal: Journal,
) -> Counter[str]:
    """Delete or null what has no parent, until nothing is left to do; returns how many rows of each source table went.

    `tables` is by target name, `rejected` too. What becomes of rows is in the journal in the same transaction.
    """
    gone = Counter[str]()
    counts = Counter(rejected)
    changed = True
    while changed:
        changed = False
        for reference in references:
            table = tables[reference.table]
            doing = f"settling the references of {reference.table}"
            with target_errors(target, doing), connection.transaction():
                bereaved = reference.orphans is Orphans.FAIL and counts[reference.parent]
                if reference.orphans is Orphans.NULL or (bereaved and reference.loose):
                    journal.add_settled(connection, reference.table, (), _null(connection, reference, table))
                elif reference.orphans is Orphans.REJECT or bereaved:
                    deleted = _delete(connection, reference, table)
                    journal.add_settled(connection, reference.table, deleted, ())
                    counts[reference.table] += len(deleted)
                    gone[table.name] += len(deleted)
                    changed = changed or bool(deleted)
    return gone


def _orphaned(reference: Reference, table: WorkTable) -> sql.Composed:
    present = sql.SQL(" AND ").join(
        sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(name)) for name in reference.columns
    )
    joined = sql.SQL(" AND ").join(
        sql.SQL("p.{} = c.{}").format(sql.Identifier(theirs), sql.Identifier(ours))
        for ours, theirs in zip(reference.columns, reference.parent_columns, strict=True)
    )
    parent = sql.Identifier(table.schema, reference.parent)
    return sql.SQL("{} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})").format(present, parent, joined)


def _returned(table: WorkTable) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL(cell.conversion.read).format(sql.SQL("c.") + sql.Identifier(cell.plan.target)) for cell in table.copied
    )


def _source_values(table: WorkTable, row: Sequence[object]) -> tuple[Value, ...]:
    return tuple(
        cell.conversion.inverse(value) if cell.conversion.inverse else value  # type: ignore[misc]
        for cell, value in zip(table.copied, row, strict=True)
    )


def _delete(connection: psycopg.Connection, reference: Reference, table: WorkTable) -> list[Reject]:
    statement = sql.SQL("DELETE FROM {} c WHERE {} RETURNING {}").format(
        table.identifier(), _orphaned(reference, table), _returned(table)
    )
    rejects = []
    for found in connection.execute(statement, binary=True).fetchall():
        row = _source_values(table, found)
        identity = table.identity_of(row, None) if table.primary else row_identity(row)
        reason = f"its row of {reference.parent} is missing or was rejected ({reference.name})"
        column = ", ".join(reference.columns)
        rejects.append(Reject(table.name, table.key_of(row, None), column, None, None, reason, None, identity))
    return rejects


def _null(connection: psycopg.Connection, reference: Reference, table: WorkTable) -> list[Healed]:
    if not table.primary:
        raise PlanError(
            f"The references of {table.name} cannot be nulled: it has no primary key to report the rows by.",
            next_step='Set orphans = "not-valid" or "reject", or give the table an identity column with rowid = "id".',
        )
    sources = {column.target: column.source for column in table.columns}
    assignments = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in reference.columns)
    statement = sql.SQL("UPDATE {} c SET {} WHERE {} RETURNING {}").format(
        table.identifier(), assignments, _orphaned(reference, table), _returned(table)
    )
    healed = []
    for found in connection.execute(statement, binary=True).fetchall():
        row = _source_values(table, found)
        for name in reference.columns:
            identity = table.identity_of(row, None)
            healed.append(Healed(table.name, table.key_of(row, None), sources[name], "orphans = null", identity))
    return healed
