"""verify: the proof again, alone, against the source as it is now."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.findings import count_of
from migrator.core.model import Schema
from migrator.core.plan import Plan, fingerprint
from migrator.core.plan_file import from_toml
from migrator.core.progress import Progress
from migrator.core.shapes import from_json
from migrator.journal import RunFolder
from migrator.profiles import recognise
from migrator.profiles.profile import Shapes
from migrator.steps.identity import identity_columns, read_sequences
from migrator.steps.known import blueprint_of
from migrator.steps.plan import complete_queries
from migrator.steps.run import open_schema
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
    """`changed` says in words how the source differs from what it was during the run."""

    proof: Proof
    changed: tuple[str, ...]


def verify(request: VerifyRequest, progress: Progress) -> Verified:
    """Raises UsageError without a run folder, SourceError, TargetError."""
    folder = RunFolder(request.run or _newest(request.run_dir, request.source))
    outcome = folder.read_outcome()
    if outcome is None:
        raise UsageError(
            f"{folder.path} is not the folder of a finished run.", next_step="Name it with --run migrator-runs/NAME"
        )
    with (
        tempfile.TemporaryDirectory(prefix="migrator-") as scratch,
        open_schema(request.source, Path(scratch)) as opened,
    ):
        path, schema = opened
        plan, shapes = _plan(folder, schema)
        changed = [] if plan.fingerprint == fingerprint(schema) else ["the source's schema has changed since the run"]
        with pinned_workers(request.workers, path, Path(scratch), request.target) as (pool, _):
            plan = complete_queries(plan, pool, schema.encoding)
            blueprint = blueprint_of(schema, plan, shapes)
            tables = work_tables(plan, schema, blueprint.generated, plan.target_schema)
            progress.start("Verifying", sum(item["rows"] for item in outcome["proof"]["tables"].values()) or None)
            proof = verify_all(
                pool,
                request.target,
                plan.target_schema,
                blueprint,
                tables,
                identity_columns(plan, read_sequences(pool)),
                explained_by(folder.lines("rejects.jsonl"), folder.lines("healed.jsonl")),
                progress,
            )
            progress.finish()
    for name, before in outcome["proof"]["tables"].items():
        now = proof.tables[name].rows if name in proof.tables else before["rows"]
        if now != before["rows"]:
            changed.append(f"{name} had {count_of(before['rows'], 'row')} during the run and has {now:,} now")
    return Verified(proof, tuple(changed))


def _plan(folder: RunFolder, schema: Schema) -> tuple[Plan, Shapes | None]:
    """The plan as it was carried out, and the tables of a known application that the run built."""
    plan = from_toml(folder.read_plan().read_text(encoding="utf-8"), schema)
    profile, text = recognise(plan.profile, schema), folder.read_shapes()
    if profile is None or text is None:
        return plan, None
    shapes = from_json(text)
    return profile.conform(plan, shapes), shapes


def _newest(run_dir: Path, source: Path) -> Path:
    """Names sort by time."""
    folders = sorted(folder for folder in run_dir.glob(f"{source.stem}-*") if (folder / "run.json").exists())
    if not folders:
        raise UsageError(
            f"There is no finished run of {source.name} in {run_dir}.",
            "Verification needs the plan that was carried out, and what the run rejected.",
            "Name the run folder with --run DIR",
        )
    return folders[-1]
