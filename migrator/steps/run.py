"""run: source → staging → proof → rename. Until the rename the target is untouched; afterwards it is complete."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from migrator.core.decisions import decision_lines
from migrator.core.model import Schema
from migrator.core.original import to_json as original_to_json
from migrator.core.progress import Progress
from migrator.core.shapes import to_json
from migrator.source.original import read_original
from migrator.source.schema import open_schema
from migrator.steps.carrying import Carrying, CarryRequest, RunResult, check_reachable, staging_of
from migrator.steps.known import Ground, blueprint_of, known_application, survey
from migrator.steps.origin import Database
from migrator.steps.plan import Planned, PlanRequest, fresh, reviewed, with_queries
from migrator.target.connection import target_errors
from migrator.tasks.table import work_tables
from migrator.workers import pinned_workers


@dataclass(frozen=True, kw_only=True)
class RunRequest(CarryRequest):
    source: Path
    plan: Path | None
    planning: PlanRequest


def run(request: RunRequest, progress: Progress) -> RunResult:
    """Carry out the plan. Raises MigratorError; whatever happens, the target schema is untouched or complete."""
    started = time.monotonic()
    scratch = request.folder.path / "scratch"
    try:
        return _run(request, scratch, started, progress)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        request.folder.remove_if_empty()


def _run(request: RunRequest, scratch: Path, started: float, progress: Progress) -> RunResult:
    with open_schema(request.source, scratch) as (path, schema):
        planned, ground = _plan(request, path, schema, progress)
        plan = ground.conform(planned.plan) if ground else planned.plan
        request.folder.write_plan(planned.text)
        request.folder.write_original(original_to_json(read_original(path)))
        if ground:
            request.folder.write_shapes(to_json(ground.shapes))
        result = RunResult(request.attempt.run_id, request.folder.path, findings=planned.findings)
        with pinned_workers(request.workers, path, scratch, request.target) as (pool, method):
            plan, left_behind = with_queries(plan, schema, pool)
            result.findings += left_behind
            request.folder.write_lines("tables.jsonl", decision_lines(plan, planned.text, schema))
            result.seconds["prepare"] = time.monotonic() - started
            result.snapshot = method.name
            with target_errors(request.target, "the run"):
                blueprint = blueprint_of(schema, plan, ground.shapes if ground else None)
                tables = work_tables(plan, schema, blueprint.generated, staging_of(request.attempt))
                origin = Database(request.source, schema, plan, pool, method)
                Carrying(request, origin, plan, blueprint, tables, pool, result, progress, started, ground).carry_out()
    return result


def _plan(request: RunRequest, path: Path, schema: Schema, progress: Progress) -> tuple[Planned, Ground | None]:
    """The plan, and what is known of the two sides. What is wrong with the target is said before rows are read."""
    planned, planning = reviewed(request.plan, schema), request.planning
    name = planned.plan.profile if planned else planning.profile
    target_schema = planned.plan.target_schema if planned else planning.schema
    known = known_application(name, path, schema)
    ground = survey(known, schema, request.target, target_schema, request.replaces)
    check_reachable(request, target_schema, ground)
    return planned or fresh(planning, schema, ground.shapes if ground else None, progress), ground
