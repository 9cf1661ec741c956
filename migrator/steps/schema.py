"""schema: the target's SQL, for people and for migration tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.errors import UsageError
from migrator.core.findings import Finding
from migrator.core.names import quote_identifier
from migrator.core.plan import Plan, check_fingerprint
from migrator.core.progress import Progress
from migrator.profiles import recognise
from migrator.steps.known import blueprint_of, recorded_shapes
from migrator.steps.plan import PlanRequest, make_plan, read_plan, read_schema_of

_SECTIONS = (
    ("pre-data: tables", (Phase.TABLE,)),
    ("post-data: keys and indexes", (Phase.INDEX, Phase.KEY)),
    ("post-data: foreign keys", (Phase.FOREIGN_KEY,)),
    ("views", (Phase.VIEW,)),
    ("comments", (Phase.COMMENT,)),
)


@dataclass(frozen=True)
class SchemaRequest:
    source: Path
    plan: Path | None
    planning: PlanRequest
    format: str


@dataclass(frozen=True)
class Printed:
    text: str
    findings: tuple[Finding, ...]


def print_schema(request: SchemaRequest, progress: Progress) -> Printed:
    """The SQL in the asked format, with what is not carried as comments. Raises SourceError, PlanError."""
    schema = read_schema_of(request.source)
    if request.plan is not None:
        plan, _ = read_plan(request.plan, schema)
        check_fingerprint(plan, schema)
    else:
        plan = make_plan(request.planning, progress).plan
    if any(table.query and not table.columns for table in plan.carried):
        raise UsageError(
            "The plan has a merge whose columns are not known yet.",
            next_step="Run: migrator plan SOURCE -o PLAN --refresh",
        )
    profile = recognise(plan.profile, schema)
    shapes = recorded_shapes(profile, request.source, schema) if profile else None
    if profile and shapes is not None:
        plan = profile.conform(plan, shapes)
    blueprint = blueprint_of(schema, plan, shapes)
    return Printed(FORMATS[request.format](blueprint, plan), blueprint.findings)


def _sql(blueprint: Blueprint, plan: Plan) -> str:
    lines = ["-- Made by migrator from an SQLite schema. Run it on an empty schema of a UTF8 database.", ""]
    if plan.target_schema != "public":
        lines += [f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(plan.target_schema)};", ""]
    lines += [f"SET search_path TO {quote_identifier(plan.target_schema)}, pg_catalog;", ""]
    for title, phases in _SECTIONS:
        statements = blueprint.phase(*phases)
        texts = [item.sql if item.printed is None else item.printed for item in statements]
        if any(texts):
            lines += [f"-- {title}", "", *(f"{text};" for text in texts if text), ""]
    return "\n".join(lines + _not_carried(blueprint))


def _not_carried(blueprint: Blueprint) -> list[str]:
    lines = []
    for finding in blueprint.findings:
        lines.append(f"-- not carried as it was: {finding.rule} {finding.where}: {finding.message}")
        lines += [f"--     {line}" for line in finding.original.splitlines()]
    return [line.replace("\0", "?") for line in lines] + ([""] if lines else [])


def _supabase(blueprint: Blueprint, plan: Plan) -> str:
    """A Supabase migration is plain SQL; tables there want row-level security, which only the owner can design."""
    advice = (
        "-- Supabase exposes public tables through its API: enable row level security and write policies for them.\n"
    )
    return advice + _sql(blueprint, plan)


def _alembic(blueprint: Blueprint, plan: Plan) -> str:
    statements = [
        text
        for _, phases in _SECTIONS
        for item in blueprint.phase(*phases)
        if (text := item.sql if item.printed is None else item.printed)
    ]
    up = "\n".join(f"    _execute({text!r})" for text in statements)
    names = [item.name for item in blueprint.phase(Phase.VIEW)]
    down = [f"    _execute({f'DROP VIEW {quote_identifier(name)}'!r})" for name in reversed(names)]
    tables = ", ".join(quote_identifier(item.name) for item in blueprint.phase(Phase.TABLE))
    down.append(f"    _execute({f'DROP TABLE {tables}'!r})")
    comments = "\n".join(line.replace("--", "#", 1) for line in _not_carried(blueprint))
    return _ALEMBIC.format(schema=plan.target_schema, up=up or "    pass", down="\n".join(down), comments=comments)


_ALEMBIC = '''"""The tables of an SQLite database, for the schema {schema}."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

{comments}
def _execute(statement):
    # The driver is asked directly: colons and percent signs in the statements are not parameters.
    op.get_bind().exec_driver_sql(statement.replace("%", "%%"))


def upgrade():
{up}


def downgrade():
{down}
'''

FORMATS: dict[str, Callable[[Blueprint, Plan], str]] = {"sql": _sql, "supabase": _supabase, "alembic": _alembic}
