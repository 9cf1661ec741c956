"""What a profile is, and what it is told about the two sides. Profiles open no connections: steps ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from migrator.core.blueprint import Blueprint
from migrator.core.census import TableCensus
from migrator.core.findings import Finding
from migrator.core.model import Schema
from migrator.core.plan import Plan
from migrator.core.shapes import Shape

Answers = Mapping[str, Sequence[tuple[object, ...]]]  # question → rows
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Present:
    """The application's own tables in the target: what they are, which hold rows, what could not be built again."""

    shapes: Shapes = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    filled: frozenset[str] = frozenset()
    peculiar: tuple[str, ...] = ()


class Profile(Protocol):
    """A known application, whose tables are in PostgreSQL what the application itself makes of them there."""

    @property
    def name(self) -> str: ...

    def recognises(self, schema: Schema) -> bool: ...

    def questions(self, tables: Iterable[str]) -> Mapping[str, str]:
        """What to ask a side that has these tables: question → a query that SQLite and PostgreSQL both understand."""

    def made_by_application(self, present: Iterable[str], schema: Schema, answers: Answers) -> frozenset[str]:
        """Which tables of the target the application made, by what the source says; empty where it made none."""

    def recorded(self, answers: Answers) -> Shapes:
        """The tables that the application is known to make. Raises DecisionNeeded for an unknown version."""

    def check_source(self, answers: Answers) -> None:
        """Raise SourceError where the application has to do something first."""

    def check_target(self, answers: Answers, present: Present) -> None:
        """Raise TargetError where the application's tables are not those that this source needs."""

    def check_replaceable(self, filled: Iterable[str], *, replace: bool) -> tuple[Finding, ...]:
        """What is lost with the rows in the target's tables. Raises TargetError where that needs --replace."""

    def adapt(
        self,
        plan: Plan,
        findings: Sequence[Finding],
        schema: Schema,
        census: Mapping[str, TableCensus],
        shapes: Shapes,
    ) -> tuple[Plan, tuple[Finding, ...]]:
        """The drafted plan and its findings, with the application's tables as they have to be. Raises SourceError."""

    def conform(self, plan: Plan, shapes: Shapes) -> Plan:
        """A reviewed plan with the types of these shapes. Raises PlanError where it wants something else."""

    def blueprint(self, schema: Schema, plan: Plan, shapes: Shapes) -> Blueprint:
        """What the target will have: the application's tables as in the shapes, all others as ever."""
