"""What a merging query made of the tables it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrator.core.errors import DecisionNeeded
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import Schema, fold
from migrator.core.names import quote_identifier
from migrator.core.plan import Plan
from migrator.tasks.query import DescribeTask, ReadTask
from migrator.workers import WorkerPool


@dataclass(frozen=True)
class Covered:
    """What a merging query made of its tables: rows of each, rows that came out, the shortfall the plan accepts."""

    query: str
    rows_in: dict[str, int]
    rows_out: int
    accepted: int

    @property
    def shortfall(self) -> int:
        return max(0, sum(self.rows_in.values()) - self.rows_out)


def count_covered(plan: Plan, schema: Schema, pool: WorkerPool, rows_out: Mapping[str, int]) -> list[Covered]:
    """One for each merging query; `rows_out` says how many rows of each arrived."""
    return [
        Covered(
            table.source,
            {name: _count(pool, schema.table(name).name) for name in table.covers},
            rows_out[table.source],
            table.accept_rows_dropped,
        )
        for table in plan.carried
        if table.query
    ]


def check_covered(merges: Sequence[Covered]) -> None:
    """Fewer rows out than in are right only if the plan says how many. Raises DecisionNeeded."""
    for covered in merges:
        if covered.shortfall != covered.accepted:
            each = ", ".join(f"{name} {count:,}" for name, count in covered.rows_in.items())
            raise DecisionNeeded(
                f"The query of {covered.query} covers {count_of(sum(covered.rows_in.values()), 'row')} ({each}) "
                f"and returns {covered.rows_out:,}.",
                f"{count_of(covered.shortfall, 'row is', 'rows are')} missing, and the plan accepts "
                f"{covered.accepted:,}.",
                f"If that is what you want, set accept_rows_dropped = {covered.shortfall} in [tables.{covered.query}].",
            )


def unread_columns(plan: Plan, schema: Schema, pool: WorkerPool) -> list[Finding]:
    """A finding for each column of a covered table that the covering query never asks for: it stays behind."""
    findings = []
    for table in plan.carried:
        if not table.query:
            continue
        [(_, described)] = pool.run([DescribeTask(table.source, table.query)])
        for name in table.covers:
            findings += [
                Finding(
                    "column-not-read",
                    Severity.WARNING,
                    f"{name}.{column.name}",
                    f"The query of {table.source} covers the table and does not read this column: it is not carried.",
                    "Select it in the query if it is to be carried.",
                )
                for column in schema.table(name).columns
                if (fold(name), fold(column.name)) not in described.read
            ]
    return findings


def _count(pool: WorkerPool, table: str) -> int:
    [(_, rows)] = pool.run([ReadTask(f"SELECT count(*) FROM main.{quote_identifier(table)}")])
    return int(rows[0][0])
