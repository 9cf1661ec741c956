"""verify: the proof again, alone, against the source as it is now."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.compare import Difference
from migrator.core.errors import UsageError
from migrator.core.findings import count_of
from migrator.core.model import Schema, TableKind, fold
from migrator.core.plan import Plan, fingerprint
from migrator.core.plan_file import from_toml
from migrator.core.progress import Progress
from migrator.core.shapes import from_json
from migrator.profiles import recognise
from migrator.profiles.profile import Shapes
from migrator.run_folder import RunFolder, ended_runs, newest_placed
from migrator.source.schema import open_schema
from migrator.steps.identity import identity_columns
from migrator.steps.known import blueprint_of
from migrator.steps.origin import Database
from migrator.steps.plan import complete_queries
from migrator.steps.verification import Proof, explained_by, verify_all
from migrator.target.connection import Target
from migrator.tasks.table import work_tables
from migrator.workers import pinned_workers


@dataclass(frozen=True)
class VerifyRequest:
    source: Path
    target: Target
    run: Path | None
    run_dir: Path
    workers: int


@dataclass(frozen=True)
class Verified:
    """`run` is the run folder whose plan was held against both sides; `changed` says how the source differs since."""

    run: Path
    proof: Proof
    changed: tuple[str, ...]


def verify(request: VerifyRequest, progress: Progress) -> Verified:
    """Raises UsageError without a run folder, SourceError, TargetError."""
    folder = RunFolder(request.run or _newest(request))
    outcome = folder.read_outcome()
    if outcome is None or outcome.get("schema") == "":
        raise UsageError(
            f"{folder.path} is not the folder of a finished run.", next_step="Name it with --run migrator-runs/NAME"
        )
    with (
        tempfile.TemporaryDirectory(prefix="migrator-") as scratch,
        open_schema(request.source, Path(scratch)) as opened,
    ):
        path, schema = opened
        plan, shapes = plan_of_run(folder, schema)
        changed = [] if plan.fingerprint == fingerprint(schema) else ["the source's schema has changed since the run"]
        drift = schema_drift(plan, schema) if changed else Drift()
        plan = replace(plan, tables=tuple(table for table in plan.tables if table.source not in drift.incomparable))
        with pinned_workers(request.workers, path, Path(scratch), request.target) as (pool, method):
            plan = complete_queries(plan, pool, schema.encoding)
            blueprint = blueprint_of(schema, plan, shapes)
            tables = work_tables(plan, schema, blueprint.generated, plan.target_schema)
            progress.start("Verifying", sum(item["rows"] for item in outcome["proof"]["tables"].values()) or None)
            origin = Database(request.source, schema, plan, pool, method)
            proof = verify_all(
                origin,
                pool,
                request.target,
                plan.target_schema,
                blueprint,
                tables,
                identity_columns(plan, origin.sequences()),
                explained_by(folder.lines("rejects.jsonl"), folder.lines("healed.jsonl")),
                progress,
            )
            progress.finish()
            proof.structure += drift.differences
    for name, before in outcome["proof"]["tables"].items():
        now = proof.tables[name].rows if name in proof.tables else before["rows"]
        if now != before["rows"]:
            changed.append(f"{name} had {count_of(before['rows'], 'row')} during the run and has {now:,} now")
    return Verified(folder.path, proof, tuple(changed))


def plan_of_run(folder: RunFolder, schema: Schema) -> tuple[Plan, Shapes | None]:
    """The plan as it was carried out, and the tables of a known application that the run built."""
    plan = from_toml(folder.read_plan().read_text(encoding="utf-8"), schema)
    profile, text = recognise(plan.profile, schema), folder.read_shapes()
    if profile is None or text is None:
        return plan, None
    shapes = from_json(text)
    return profile.conform(plan, shapes), shapes


@dataclass(frozen=True)
class Drift:
    """What the source has that the run did not know, and the other way round."""

    differences: tuple[Difference, ...] = ()
    incomparable: frozenset[str] = frozenset()  # planned tables of which something carried is gone


def schema_drift(plan: Plan, schema: Schema) -> Drift:
    """Tables and columns that came or went since the plan was made; their rows are in one of the two sides only."""
    present = {fold(table.name): table for table in schema.tables if table.kind is TableKind.TABLE}
    planned = {fold(table.source): table for table in plan.tables if not table.query}
    covered = {fold(name) for table in plan.carried for name in table.covers}
    unknown = sorted(present.keys() - planned.keys() - covered)
    differences = [Difference(present[name].name, {}, None, "a table", "not known to this run") for name in unknown]
    incomparable = set()
    for name, table in sorted(planned.items()):
        if table.drop:
            continue
        if name not in present:
            differences.append(Difference(table.source, {}, None, "gone", "carried by this run"))
            incomparable.add(table.source)
            continue
        columns = {fold(column.name): column.name for column in present[name].columns}
        known = {fold(column.source) for column in table.columns}
        gone = [column.source for column in table.carried if fold(column.source) not in columns]
        differences += [Difference(table.source, {}, column, "gone", "carried by this run") for column in gone]
        differences += [
            Difference(table.source, {}, column, "a column", "not known to this run")
            for folded, column in columns.items()
            if folded not in known
        ]
        if gone:
            incomparable.add(table.source)
    return Drift(tuple(differences), frozenset(incomparable))


def _newest(request: VerifyRequest) -> Path:
    """The last run, or load of an export, of this file into this target."""
    run_dir, source = request.run_dir, request.source
    if newest := newest_placed(run_dir, source, request.target.shown):
        return newest[0].path
    alike = [folder for folder in ended_runs(run_dir) if folder.name.startswith(f"{source.stem}-")]
    if not alike:
        raise UsageError(
            f"There is no finished run of {source.name} in {run_dir}.",
            "Verification needs the plan that was carried out, and what the run rejected.",
            "Name the run folder with --run DIR",
        )
    raise UsageError(
        f"No run in {run_dir} carried {source} into {request.target.shown}.",
        f"There are runs of a file of that name: {', '.join(folder.name for folder in alike[-3:])}.",
        f"If one of them is meant, name it: --run {alike[-1]}",
    )
