"""A known application's tables: what the source says of itself, what the target has of them, what is to be built."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from migrator.core.blueprint import Blueprint
from migrator.core.ddl import build
from migrator.core.findings import Finding
from migrator.core.model import Schema
from migrator.core.plan import Plan
from migrator.core.shapes import Shape
from migrator.profiles import recognise
from migrator.profiles.profile import Answers, Present, Profile, Shapes
from migrator.source.connection import connect as connect_source
from migrator.source.connection import open_readable, source_errors
from migrator.target.catalog import filled_tables, peculiarities, read_shapes, relations
from migrator.target.connection import Target, connect, execute, target_errors


@dataclass(frozen=True)
class Ground:
    """The tables to build, and those of the application that stand in the target and give way in the end."""

    profile: Profile
    shapes: Shapes
    standing: dict[str, Shape]
    notes: tuple[Finding, ...]

    def conform(self, plan: Plan) -> Plan:
        """The plan with the types of these tables. Raises PlanError where it wants something else."""
        return self.profile.conform(plan, self.shapes)

    @property
    def relations(self) -> set[str]:
        """The names in the target's schema that become free."""
        return {name for shape in self.standing.values() for name in shape.relations}

    def check_rows(self, connection: psycopg.Connection, schema: str, replace: bool) -> None:
        """Raise TargetError where the application has written meanwhile what must not be lost."""
        self.profile.check_replaceable(filled_tables(connection, schema, self.standing), replace=replace)


def ask_source(profile: Profile, path: Path, schema: Schema) -> Answers:
    """The answers of a database that can be read in place. Raises SourceError."""
    questions = profile.questions(table.name for table in schema.tables)
    with source_errors(path):
        connection = connect_source(path)
        try:
            return {name: connection.execute(query).fetchall() for name, query in questions.items()}
        finally:
            connection.close()


def recorded_shapes(profile: Profile, source: Path, schema: Schema) -> Shapes:
    """What the application is known to make for this source. Raises SourceError, DecisionNeeded."""
    with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
        connection, path = open_readable(source, Path(scratch))
        connection.close()
        answers = ask_source(profile, path, schema)
    profile.check_source(answers)
    return profile.recorded(answers)


@dataclass(frozen=True)
class Known:
    """A known application, and what its database answered."""

    profile: Profile
    answers: Answers


def known_application(name: str, path: Path, schema: Schema) -> Known | None:
    """None for an ordinary database. Raises SourceError where the application has to do something first."""
    profile = recognise(name, schema)
    if profile is None:
        return None
    answers = ask_source(profile, path, schema)
    profile.check_source(answers)
    return Known(profile, answers)


def survey(known: Known | None, schema: Schema, target: Target, target_schema: str, replace: bool) -> Ground | None:
    """What is to be built for this source in this target, or None for an ordinary database.

    Raises TargetError and DecisionNeeded before anything is read or built.
    """
    if known is None:
        return None
    profile, answers = known.profile, known.answers
    present = _look(profile, schema, answers, target, target_schema)
    if not present.shapes:
        return Ground(profile, profile.recorded(answers), {}, ())
    profile.check_target(answers, present)
    notes = profile.check_replaceable(present.filled, replace=replace)
    return Ground(profile, present.shapes, dict(present.shapes), notes)


def _look(profile: Profile, schema: Schema, answers: Answers, target: Target, target_schema: str) -> Present:
    connection = connect(target)
    try:
        with target_errors(target, f"looking into the schema {target_schema}"):
            kinds = relations(connection, target_schema)
            tables = {name for name, kind in kinds.items() if kind == "table"}
            names = profile.made_by_application(tables, schema, answers)
            if not names:
                return Present()
            shapes = read_shapes(connection, target_schema)  # and sets the search_path for what follows
            questions = profile.questions(names)
            return Present(
                shapes={name: shapes[name] for name in sorted(names)},
                answers={name: execute(connection, query).fetchall() for name, query in questions.items()},
                filled=frozenset(filled_tables(connection, target_schema, names)),
                peculiar=tuple(peculiarities(connection, target_schema, names)),
            )
    finally:
        connection.close()


def blueprint_of(schema: Schema, plan: Plan, shapes: Shapes | None) -> Blueprint:
    """What the target will have, by the plan's profile where it has one."""
    profile = recognise(plan.profile, schema)
    return profile.blueprint(schema, plan, shapes) if profile and shapes is not None else build(schema, plan)
