"""Metastore's own database: what is JSON in its SQLite file is jsonb and text[] in its PostgreSQL database.

The two packages share no code. That these columns are those of Metastore's schema is what tests/contract is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from migrator.core.blueprint import Blueprint
from migrator.core.census import TableCensus
from migrator.core.convert import NO_OPTIONS
from migrator.core.ddl import build
from migrator.core.findings import Finding
from migrator.core.model import Schema, fold
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan, Plan
from migrator.profiles.profile import Answers, Present, Shapes

NAME = "metastore"

_TABLES = frozenset({"metastore_revision", "homes", "changes", "syncs", "devices", "entities"})
_TEXTS = frozenset(
    {
        ("floors", "aliases"),
        ("areas", "aliases"),
        ("areas", "labels"),
        ("devices", "labels"),
        ("entities", "labels"),
        ("entities", "aliases"),
        ("webhooks", "allowed_methods"),
    }
)
_DOCUMENTS = frozenset(
    {
        ("config_entries", "supported_subentry_types"),
        ("config_entries", "error_reason_translation_placeholders"),
        ("devices", "identifiers"),
        ("devices", "connections"),
        ("entities", "categories"),
        ("entities", "capabilities"),
        ("entities", "options"),
        ("changes", "fields"),
    }
)


class Metastore:
    """See migrator.profiles.profile.Profile. Only the types of columns are special; the tables are ordinary ones."""

    name = NAME

    def recognises(self, schema: Schema) -> bool:
        return {fold(table.name) for table in schema.tables} >= _TABLES

    def questions(self, tables: Iterable[str]) -> Mapping[str, str]:
        return {}

    def made_by_application(self, present: Iterable[str], schema: Schema, answers: Answers) -> frozenset[str]:
        return frozenset()

    def recorded(self, answers: Answers) -> Shapes:
        return {}

    def check_source(self, answers: Answers) -> None:
        """Every revision can be carried as it is."""

    def check_target(self, answers: Answers, present: Present) -> None:
        """Tables in the target are treated as any other's."""

    def check_replaceable(self, filled: Iterable[str], *, replace: bool) -> tuple[Finding, ...]:
        return ()

    def adapt(
        self,
        plan: Plan,
        findings: Sequence[Finding],
        schema: Schema,
        census: Mapping[str, TableCensus],
        shapes: Shapes,
    ) -> tuple[Plan, tuple[Finding, ...]]:
        tables = tuple(
            replace(table, columns=tuple(_adapted(fold(table.source), column) for column in table.columns))
            for table in plan.tables
        )
        return replace(plan, profile=NAME, tables=tables), tuple(findings)

    def conform(self, plan: Plan, shapes: Shapes) -> Plan:
        return plan

    def blueprint(self, schema: Schema, plan: Plan, shapes: Shapes) -> Blueprint:
        return build(schema, plan)


def _adapted(table: str, column: ColumnPlan) -> ColumnPlan:
    place = table, fold(column.source)
    if place in _TEXTS:
        kind = "text[]"
    elif place in _DOCUMENTS or place[1] == "extra":
        kind = "jsonb"
    else:
        return column
    return replace(column, type=PgType(kind), options=NO_OPTIONS, collation=None, alternative="")
