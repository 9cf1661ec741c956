"""What became of every table and column, and why: the plan as it was carried out, for those who read it afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import tomlkit

from migrator.core.model import Schema
from migrator.core.plan import ColumnPlan, Plan, TablePlan
from migrator.core.plan_file import column_line

Reasons = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class ColumnDecision:
    """`declared` is the declared type, "" where there is none, None where the column is a query's.

    `settings` is what the plan says beside target and type. `why` is what stands behind the column's line in the plan:
    what the census found, or what a person wrote instead.
    """

    source: str
    declared: str | None
    target: str
    type: str
    settings: Mapping[str, Any]
    why: str

    @property
    def dropped(self) -> bool:
        return bool(self.settings.get("drop"))

    @property
    def found(self) -> str:
        """`why` without the declared type at its beginning."""
        return self.why.removeprefix(f"{self.declared or 'no type'}: ")


@dataclass(frozen=True)
class TableDecision:
    """`query` is set where the target table is one SQLite query over the tables that it covers."""

    source: str
    target: str
    query: str | None = None
    covers: tuple[str, ...] = ()
    dropped: bool = False
    columns: tuple[ColumnDecision, ...] = field(default=())

    def line(self) -> dict[str, Any]:
        """As it stands in tables.jsonl."""
        return asdict(self)


def decision_lines(plan: Plan, text: str, schema: Schema) -> Iterator[str]:
    """The lines of tables.jsonl."""
    return (json.dumps(table.line()) for table in decisions_of(plan, text, schema))


def decisions_of(plan: Plan, text: str, schema: Schema) -> list[TableDecision]:
    """For every table of the plan; `text` is its file, whose comments hold the reasons."""
    reasons = _reasons(text)
    return [
        TableDecision(
            source=table.source,
            target=table.target,
            query=table.query,
            covers=table.covers,
            dropped=table.drop,
            columns=tuple(_column(table, column, reasons, schema) for column in table.columns),
        )
        for table in plan.tables
    ]


def _column(table: TablePlan, column: ColumnPlan, reasons: Reasons, schema: Schema) -> ColumnDecision:
    settings = {key: value for key, value in column_line(column).items() if key not in ("target", "type")}
    declared = None if table.query else _declared(schema, table.source, column.source)
    why = reasons.get((table.source, column.source), column.why)
    return ColumnDecision(column.source, declared, column.target, str(column.type), settings, why)


def _declared(schema: Schema, table: str, column: str) -> str | None:
    """None for what the source does not have: a table that is dropped may have gone."""
    try:
        return schema.table(table).column(column).declared_type
    except KeyError:
        return None


def _reasons(text: str) -> dict[tuple[str, str], str]:
    """(table, column) → the comment behind the column's line."""
    tables = tomlkit.parse(text).get("tables", {})
    return {
        (table, column): line.trivia.comment.lstrip("# ").rstrip()
        for table, item in tables.items()
        for column, line in item.get("columns", {}).items()
        if line.trivia.comment
    }
