"""schema: the target's SQL, for people and for migration tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.errors import UsageError
from migrator.core.findings import Finding
from migrator.core.names import quote_identifier
from migrator.core.plan import Plan
from migrator.core.progress import Progress
from migrator.core.script import create_schema, enter, sections
from migrator.profiles import recognise
from migrator.steps.known import blueprint_of, recorded_shapes
from migrator.steps.plan import PlanRequest, make_plan, read_plan, read_schema_of

_PACK = ("sqlite_compat.sql", "sqlite_formats.sql", "sqlite_json.sql")


@dataclass(frozen=True)
class SchemaRequest:
    source: Path
    plan: Path | None
    planning: PlanRequest
    format: str
    compat: bool = False  # with the functions that rewritten statements may need


@dataclass(frozen=True)
class Printed:
    text: str
    findings: tuple[Finding, ...]


def print_schema(request: SchemaRequest, progress: Progress) -> Printed:
    """The SQL in the asked format, with what is not carried as comments. Raises SourceError, PlanError."""
    schema = read_schema_of(request.source)
    if request.plan is not None:
        plan, _ = read_plan(request.plan, schema)
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
    return Printed(FORMATS[request.format](blueprint, plan, pack() if request.compat else ""), blueprint.findings)


def pack() -> str:
    """The functions of SQLite for PostgreSQL, in the schema `sqlite`."""
    folder = files("migrator.core.sql")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _PACK)


def _sql(blueprint: Blueprint, plan: Plan, functions: str) -> str:
    lines = [
        "-- Made by migrator from an SQLite schema. Run it on an empty schema of a UTF8 database.",
        "",
        "SET client_encoding TO 'UTF8';",
        *([functions] if functions else []),
        *(f"{statement};" for statement in create_schema(plan)),
        f"{enter(plan)};",
        "",
    ]
    for title, statements in sections(blueprint):
        lines += [f"-- {title}", "", *(f"{statement};" for statement in statements), ""]
    lines += ["RESET search_path;", ""]
    return "\n".join(lines + [f"-- {line}" for line in _remarks(blueprint, plan)]).rstrip("\n") + "\n"


def _remarks(blueprint: Blueprint, plan: Plan) -> list[str]:
    """Lines for comments: where the tables come from, if no COMMENT says it, and what is not carried as it was."""
    remarks = []
    if not blueprint.phase(Phase.COMMENT):
        # A known application's tables are built as it builds them, without comments.
        origins = [f"{table.target} is SQLite table {table.source}" for table in plan.carried if not table.query]
        remarks += [(origin, "") for origin in origins]
    for finding in blueprint.findings:
        text = f"not carried as it was: {finding.rule} {finding.where}: {finding.message}"
        remarks.append((text, finding.original))
    return [line for text, original in remarks for line in _lines(text, original)]


def _lines(text: str, original: str) -> list[str]:
    """Names and messages may hold line breaks, and what follows one would not be a comment any more."""
    first, *rest = text.replace("\0", "?").splitlines()
    return [first, *(f"    {line}" for line in (*rest, *original.replace("\0", "?").splitlines()))]


def _supabase(blueprint: Blueprint, plan: Plan, functions: str) -> str:
    """A Supabase migration is plain SQL; tables there want row-level security, which only the owner can design."""
    advice = (
        "-- Supabase exposes public tables through its API: enable row level security and write policies for them.\n"
    )
    return advice + _sql(blueprint, plan, functions)


_ALEMBICS_OWN = "alembic_version"


def _alembic(blueprint: Blueprint, plan: Plan, functions: str) -> str:
    carried = replace(blueprint, statements=tuple(s for s in blueprint.statements if s.table != _ALEMBICS_OWN))
    remarks = _remarks(blueprint, plan)
    if carried != blueprint:
        remarks.insert(0, f"left out: the source's table {_ALEMBICS_OWN}, because Alembic makes its own")
    before = [functions, *create_schema(plan)] if functions else create_schema(plan)
    up = [f"    {_python(statement)}," for statement in before]
    for title, statements in sections(carried):
        up += [f"    # {title}", *(f"    {_python(statement)}," for statement in statements)]
    return _ALEMBIC.format(
        title=_python(f"The tables of an SQLite database, for the schema {plan.target_schema}."),
        remarks="".join(f"# {line}\n" for line in remarks),
        enter=_python(enter(plan)),
        up="\n".join(up),
        down="\n".join(f"    {_python(statement)}," for statement in _drops(carried)),
    )


def _drops(blueprint: Blueprint) -> list[str]:
    """One statement for all tables, because they may refer to each other in circles."""
    kinds = {"VIEW": [view.name for view in blueprint.phase(Phase.VIEW)], "TABLE": blueprint.tables}
    drops = [f"DROP {kind} {', '.join(map(quote_identifier, names))}" for kind, names in kinds.items() if names]
    return drops + [f"DROP FUNCTION {quote_identifier(item.name)}()" for item in blueprint.phase(Phase.FUNCTION)]


def _python(text: str) -> str:
    """A literal of Python, one line of it for each of the text's; for an argument in a list."""
    if "\n" not in text:
        return repr(text)
    lines = "\n".join(f"        {line!r}" for line in text.splitlines(keepends=True))
    return f"(\n{lines}\n    )"


_ALEMBIC = """{title}

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

{remarks}
# The names below are unqualified; afterwards Alembic looks for its own table where it looked before.
ENTER = (
    "SELECT set_config('migrator.search_path', current_setting('search_path'), false)",
    {enter},
)
LEAVE = ("SELECT set_config('search_path', current_setting('migrator.search_path'), false)",)

UP = (
{up}
)

DOWN = (
{down}
)


def _execute(statements):
    context = op.get_context()
    for statement in (*ENTER, *statements, *LEAVE):
        if context.as_sql:
            context.impl.static_output(f"{{statement}};")
        else:
            # Without parameters, colons and percent signs are what they are.
            op.get_bind().exec_driver_sql(statement, execution_options={{"no_parameters": True}})


def upgrade():
    _execute(UP)


def downgrade():
    _execute(DOWN)
"""

FORMATS: dict[str, Callable[[Blueprint, Plan, str], str]] = {"sql": _sql, "supabase": _supabase, "alembic": _alembic}
