"""The tables that SQL is read against: a database's, as a plan carries them, or those that CREATE statements make."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.plan import Style
from migrator.core.progress import Progress, Silent
from migrator.core.redefining import Definitions
from migrator.profiles import recognise
from migrator.source.new_file import draft_database
from migrator.steps.known import blueprint_of, recorded_shapes
from migrator.steps.plan import PlanRequest, make_plan, read_plan, read_schema_of


@dataclass(frozen=True)
class Tables:
    """Where they come from: `db`, with or without a plan for it; without it the statements themselves."""

    db: Path | None = None
    plan: Path | None = None
    style: Style = Style.FAITHFUL

    def read(self, created: Iterable[str], progress: Progress) -> Definitions:
        """`created` are the CREATE statements at hand. Raises UsageError, SourceError, PlanError."""
        if self.db is not None:
            return _definitions_of(self.db, self.plan, self.style, progress)
        if self.plan is not None:
            raise UsageError("--plan needs --db.", "A plan does not hold the keys.", "Name the database: --db FILE")
        with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
            path = Path(scratch) / "drafted.db"
            refused = draft_database(path, created)
            return replace(_definitions_of(path, None, self.style, Silent()), refused=refused)


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
