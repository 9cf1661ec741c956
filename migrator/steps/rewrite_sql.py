"""rewrite sql: the statements of files, one by one, against the tables that a database has or the files make."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.plan import Style
from migrator.core.progress import Progress, Silent
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten, rewrite
from migrator.core.sql.split import SourceStatement, split
from migrator.profiles import recognise
from migrator.source.new_file import draft_database
from migrator.steps.known import blueprint_of, recorded_shapes
from migrator.steps.plan import PlanRequest, make_plan, read_plan, read_schema_of


@dataclass(frozen=True)
class Script:
    """SQL with a name for its findings."""

    name: str
    text: str


@dataclass(frozen=True)
class RewriteRequest:
    """Without `db` the tables are those that the scripts themselves make."""

    scripts: tuple[Script, ...]
    driver: Driver
    db: Path | None
    plan: Path | None
    style: Style = Style.FAITHFUL


def rewrite_sql(request: RewriteRequest, progress: Progress) -> Iterator[tuple[Script, Rewritten]]:
    """Every statement in order. Raises UsageError, SourceError, PlanError before the first one."""
    if request.plan is not None and request.db is None:
        raise UsageError("--plan needs --db.", "A plan does not hold the keys.", "Name the database: --db FILE")
    statements = [(script, statement) for script in request.scripts for statement in split(script.text)]
    definitions = _definitions(request, [statement for _, statement in statements], progress)
    return ((script, _rewritten(script, item, definitions, request.driver)) for script, item in statements)


def _rewritten(script: Script, statement: SourceStatement, definitions: Definitions, driver: Driver) -> Rewritten:
    if statement.begins_with("CREATE") or statement.begins_with("DROP"):
        return definitions.rewrite(statement, script.name)
    return rewrite(statement, definitions.blueprint.scopes, driver, script.name)


def _definitions(request: RewriteRequest, statements: list[SourceStatement], progress: Progress) -> Definitions:
    """Of the database, or of the one that the statements make. Raises SourceError, PlanError."""
    if request.db is not None:
        return _definitions_of(request.db, request.plan, request.style, progress)
    with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
        path = Path(scratch) / "drafted.db"
        created = (statement.text for statement in statements if statement.begins_with("CREATE"))
        refused = draft_database(path, created)
        return replace(_definitions_of(path, None, request.style, Silent()), refused=refused)


def _definitions_of(path: Path, plan_file: Path | None, style: Style, progress: Progress) -> Definitions:
    schema = read_schema_of(path)
    if plan_file is not None:
        plan, _ = read_plan(plan_file, schema)
    else:
        plan = make_plan(PlanRequest(path, style, workers=1), progress).plan
    profile = recognise(plan.profile, schema)
    shapes = recorded_shapes(profile, path, schema) if profile else None
    if profile and shapes is not None:
        plan = profile.conform(plan, shapes)
    return Definitions(schema, blueprint_of(schema, plan, shapes))
