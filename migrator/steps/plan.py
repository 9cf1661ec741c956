"""plan: a reviewable file from an inspection, or a fresh one's additions to a file that was edited."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.errors import DecisionNeeded, PlanError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import Schema, fold
from migrator.core.plan import Plan, Style, TablePlan, check_fingerprint, check_plan
from migrator.core.plan_file import forget, from_toml, refresh, to_toml
from migrator.core.planning import draft_query, virtual_tables
from migrator.core.progress import Progress
from migrator.profiles import recognise
from migrator.profiles.profile import Shapes
from migrator.source.connection import open_readable, source_errors
from migrator.source.rows import WHOLE, Relation
from migrator.source.schema import read_schema
from migrator.steps.covered import unread_columns
from migrator.steps.inspect import inspect
from migrator.steps.known import recorded_shapes
from migrator.tasks.census import CensusTask
from migrator.tasks.query import DescribeTask
from migrator.workers import WorkerPool


@dataclass(frozen=True)
class Planned:
    """`written` is the text of a plan that somebody has edited, with what it lacked."""

    plan: Plan
    findings: tuple[Finding, ...]
    written: str | None = None

    @property
    def text(self) -> str:
        """The plan's file."""
        return self.written if self.written is not None else to_toml(self.plan, _summary(self.findings))

    @property
    def decisions(self) -> tuple[Finding, ...]:
        """What a person has to decide before a run can begin."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.DECISION)


@dataclass(frozen=True)
class PlanRequest:
    source: Path
    style: Style = Style.FAITHFUL
    zone: str = "UTC"
    schema: str = "public"
    profile: str = "auto"
    workers: int = 2


def make_plan(
    request: PlanRequest, progress: Progress, existing: str | None = None, shapes: Shapes | None = None
) -> Planned:
    """The plan for the source; with `existing` text, that text with what it lacks. Raises SourceError, PlanError.

    `shapes` are the tables that a known application has made in the target; without them the recorded ones are taken.
    """
    inspection = inspect(request.source, request.workers, progress)
    drafted = inspection.draft(request.style, request.zone, request.schema)
    findings = {
        finding: None for finding in (*drafted.findings, *inspection.findings) if _about(finding, drafted.findings)
    }
    plan = drafted.plan
    name = request.profile if existing is None else from_toml(existing, inspection.schema).profile
    profile = recognise(name, inspection.schema)
    if profile:
        shapes = shapes or recorded_shapes(profile, request.source, inspection.schema)
        plan, adapted = profile.adapt(plan, tuple(findings), inspection.schema, inspection.census, shapes)
        findings = dict.fromkeys(adapted)
    if existing is not None:
        existing = forget(existing, plan)
        covered = _covered(existing, inspection.schema)
        kept = tuple(table for table in plan.tables if fold(table.source) not in covered)
        text = refresh(existing, replace(plan, tables=kept))
        merged = from_toml(text, inspection.schema)
        if any(table.query for table in merged.carried):
            merged = _with_merges(request, merged, inspection.schema.encoding)
            text = refresh(text, replace(merged, fingerprint=plan.fingerprint))
        return Planned(from_toml(text, inspection.schema), tuple(findings), text)
    return Planned(plan, tuple(findings))


def _with_merges(request: PlanRequest, plan: Plan, encoding: str) -> Plan:
    with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
        connection, path = open_readable(request.source, Path(scratch))
        connection.close()
        with WorkerPool(1, path) as pool:
            return complete_queries(plan, pool, encoding)


def _about(finding: Finding, drafted: tuple[Finding, ...]) -> bool:
    """The inspection drafts a faithful plan for its findings; only what is not about types holds for another style."""
    return finding in drafted or finding.rule.startswith(("definition", "view"))


def _covered(text: str, schema: Schema) -> set[str]:
    return {fold(name) for table in from_toml(text, schema).tables for name in table.covers}


def _summary(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    order = [Severity.DECISION, Severity.WARNING]
    chosen = sorted((f for f in findings if f.severity in order), key=lambda finding: order.index(finding.severity))
    return tuple(
        f"{finding.severity.upper()} {finding.rule} at {finding.where}: {finding.message} {finding.next_step}".strip()
        for finding in chosen
    )


def read_schema_of(source: Path) -> Schema:
    """The source's schema alone, without a census. Raises SourceError."""
    with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
        connection, _ = open_readable(source, Path(scratch))
        with source_errors(source):
            schema = read_schema(connection).schema
        connection.close()
    return schema


def read_plan(path: Path, schema: Schema) -> tuple[Plan, str]:
    """The plan in that file, checked against the schema, and the file's text. Raises PlanError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "It is not UTF-8"
        raise PlanError(
            f"The plan {path} cannot be read.", f"{why}.", "Make one: migrator plan SOURCE -o FILE"
        ) from error
    plan = from_toml(text, schema)
    check_fingerprint(plan, schema)  # before anything else: a changed source explains the rest
    check_plan(plan, schema)
    return plan, text


def reviewed(file: Path | None, schema: Schema) -> Planned | None:
    """The plan that a person has reviewed, if there is one. Raises PlanError."""
    if file is None:
        return None
    plan, text = read_plan(file, schema)
    return Planned(plan, tuple(virtual_tables(schema)), text)


def fresh(planning: PlanRequest, schema: Schema, shapes: Shapes | None, progress: Progress) -> Planned:
    """A plan in which nothing is left to be decided. Raises DecisionNeeded where a person has to."""
    planned = make_plan(planning, progress, shapes=shapes)
    if planned.decisions:
        questions = count_of(len(planned.decisions), "question has", "questions have")
        raise DecisionNeeded(
            f"{questions} to be answered before anything is loaded.",
            " ".join(f"{item.where}: {item.message}" for item in planned.decisions[:3])
            + (f" And {len(planned.decisions) - 3:,} more." if len(planned.decisions) > 3 else ""),
            f"Run: migrator plan {planning.source} -o plan.toml, answer them there, and run with --plan plan.toml",
        )
    check_plan(planned.plan, schema)
    return planned


def with_queries(plan: Plan, schema: Schema, pool: WorkerPool) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan with its merges completed, and what they leave behind. Raises PlanError."""
    if not any(table.query for table in plan.carried):
        return plan, ()
    plan = complete_queries(plan, pool, schema.encoding)
    check_plan(plan, schema)
    return plan, tuple(unread_columns(plan, schema, pool))


def complete_queries(plan: Plan, pool: WorkerPool, encoding: str) -> Plan:
    """The plan with a line for every result column of its merging queries, chosen from a census of the result."""
    tables = (
        _completed(table, pool, encoding, plan) if table.query and not table.drop else table for table in plan.tables
    )
    return replace(plan, tables=tuple(tables))


def _completed(table: TablePlan, pool: WorkerPool, encoding: str, plan: Plan) -> TablePlan:
    assert table.query is not None
    [(_, described)] = pool.run([DescribeTask(table.source, table.query)])
    columns = described.columns
    if unread := [name for name in table.covers if fold(name) not in described.tables]:
        raise PlanError(
            f"[tables.{table.source}] covers {', '.join(unread)}, which its query does not read.",
            "A covered table is carried by the query alone; the rows of this one would be lost.",
            "Read it in the query, or take it out of covers and give it a line of its own.",
        )
    relation = Relation(table.source, columns, query=table.query)
    [(_, census)] = pool.run([CensusTask(relation, WHOLE, encoding)])
    if missing := [name for name in table.key if name not in columns]:
        raise PlanError(f"[tables.{table.source}] has the key {', '.join(missing)}, which its query does not return.")
    return draft_query(table, columns, census, plan.style, plan.zone)
