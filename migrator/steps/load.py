"""load: an export → PostgreSQL, with all that a run promises: staging, journal, proof, rename."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.archive.files import AGAIN
from migrator.archive.manifest import ExportedTable, Manifest, read_manifest
from migrator.archive.results import read_rows
from migrator.core.blueprint import CarriedView
from migrator.core.decisions import decision_lines
from migrator.core.errors import SourceError, TargetError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import fold
from migrator.core.plan import Plan, check_plan
from migrator.core.plan_file import from_toml
from migrator.core.progress import Progress
from migrator.core.shapes import to_json
from migrator.profiles import recognise
from migrator.steps.carrying import Carrying, CarryRequest, RunResult, check_reachable, staging_of
from migrator.steps.covered import Covered
from migrator.steps.known import Ground, Known, blueprint_of, survey
from migrator.steps.origin import NotCompared, Rows
from migrator.target.connection import target_errors
from migrator.tasks.exported import CheckFileTask
from migrator.tasks.table import WorkTable, work_tables
from migrator.workers import WorkerPool


@dataclass(frozen=True, kw_only=True)
class LoadRequest(CarryRequest):
    archive: Path


@dataclass(frozen=True)
class Export:
    """What an export tells in place of its source."""

    path: Path
    manifest: Manifest

    @property
    def wal_bytes(self) -> int:
        return 0

    @property
    def rejected(self) -> Mapping[str, int]:
        return {table.target: table.rejected for table in self.manifest.tables if table.rejected}

    @property
    def healed(self) -> int:
        return sum(1 for _ in self.lines("healed.jsonl"))

    def changed_tables(self) -> frozenset[str]:
        lines = (*self.lines("rejects.jsonl"), *self.lines("healed.jsonl"))
        return frozenset(fold(json.loads(line)["table"]) for line in lines)

    def lines(self, name: str) -> Iterable[str]:
        path = self.path / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else ()

    def sequences(self) -> Mapping[str, int]:
        return self.manifest.sequences

    def covered(self, rows_out: Mapping[str, int]) -> list[Covered]:
        return [
            Covered(merge.query, dict(merge.rows_in), rows_out[merge.query], merge.accepted)
            for merge in self.manifest.merges
        ]

    def view_rows(self, view: CarriedView) -> Rows:
        exported = next((item for item in self.manifest.views if item.source == view.source), None)
        if exported is None or exported.file is None:
            raise NotCompared(exported.reason if exported else "the export does not hold its result")
        return read_rows((self.path / exported.file).read_text(encoding="utf-8"))

    def view_tables(self, view: CarriedView) -> frozenset[str]:
        return frozenset(next(item.tables for item in self.manifest.views if item.source == view.source))


def check_export(folder: Path) -> Path:
    """The SQLite file that the export is of. Raises SourceError where the folder holds no export."""
    return Path(read_manifest(folder).source)


def load(request: LoadRequest, progress: Progress) -> RunResult:
    """Raises MigratorError; whatever happens, the target schema is untouched or complete."""
    started = time.monotonic()
    try:
        return _load(request, started, progress)
    finally:
        progress.finish()
        shutil.rmtree(request.folder.path / "scratch", ignore_errors=True)
        request.folder.remove_if_empty()


def _load(request: LoadRequest, started: float, progress: Progress) -> RunResult:
    manifest = read_manifest(request.archive)
    texts = _checked_texts(request.archive, manifest)
    text = texts["plan.toml"]
    plan = from_toml(text, manifest.schema)
    check_plan(plan, manifest.schema)
    ground = _ground(request, manifest, plan)
    check_reachable(request, plan.target_schema, ground)
    plan = ground.conform(plan) if ground else plan
    with WorkerPool(request.workers, request.archive, request.target) as pool:
        _check_files(pool, request.archive, manifest, progress)
        request.folder.write_plan(text)
        request.folder.write_lines("tables.jsonl", decision_lines(plan, text, manifest.schema))
        if original := texts.get("original.json"):
            request.folder.write_original(original)
        if ground:
            request.folder.write_shapes(to_json(ground.shapes))
        result = RunResult(request.attempt.run_id, request.folder.path, snapshot="exported")
        blueprint = blueprint_of(manifest.schema, plan, ground.shapes if ground else None)
        tables = work_tables(plan, manifest.schema, blueprint.generated, staging_of(request.attempt))
        result.findings = tuple(_not_compared(tables))
        tables = [_from_files(table, manifest, request) for table in tables]
        origin = Export(request.archive, manifest)
        result.seconds["prepare"] = time.monotonic() - started
        with target_errors(request.target, "the load"):
            Carrying(request, origin, plan, blueprint, tables, pool, result, progress, started, ground).carry_out()
    return result


def _ground(request: LoadRequest, manifest: Manifest, plan: Plan) -> Ground | None:
    profile = recognise(plan.profile, manifest.schema)
    if profile is None:
        return None
    answers = {name: [tuple(row) for row in rows] for name, rows in manifest.answers.items()}
    known = Known(profile, answers)
    return survey(known, manifest.schema, request.target, plan.target_schema, request.replaces)


def _checked_texts(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Every file of the export that holds no rows, by name. Raises SourceError where one is not as it was written."""
    found = {}
    for name, digest in manifest.others.items():
        try:
            raw = (folder / name).read_bytes()
        except OSError as error:
            raise SourceError(f"{folder / name} cannot be read.", f"{error.strerror}.", AGAIN) from error
        if hashlib.sha256(raw).hexdigest() != digest:
            raise SourceError(
                f"{folder / name} is not the file that was exported.",
                "Its SHA-256 is not the one in the manifest.",
                "Copy the export again from where it was written. To change its plan: export again with the new one.",
            )
        found[name] = raw.decode()
    return found


def _check_files(pool: WorkerPool, folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Raises SourceError before anything is loaded where a data file is not the one that was exported."""
    files = list(manifest.files())
    progress.start("Checking files", len(files))
    for _ in pool.run([CheckFileTask(folder, file) for file in files]):
        progress.advance()
    progress.finish()


def _from_files(table: WorkTable, manifest: Manifest, request: LoadRequest) -> WorkTable:
    """The table as it can be read from the files: texts are UTF-8, and rows have no order but that of their rowids."""
    exported = next((item for item in manifest.tables if item.target == table.target), None)
    types = tuple(cell.conversion.copy_type for cell in table.copied)
    columns = tuple(column.target for column in table.columns)
    if exported is None or (exported.columns, exported.types) != (columns, types):
        raise TargetError(
            f"The table {table.target} in {request.target.shown} is not what the export holds.",
            _unlike(exported, columns, types),
            "Export again with the version of the application that made the tables in the target, or load elsewhere.",
        )
    order = table.order if table.splits_by_rowid else ()
    return replace(table, encoding="utf-8", order=order, relation=replace(table.relation, order=order), computed=())


def _unlike(exported: ExportedTable | None, columns: Sequence[str], types: Sequence[str]) -> str:
    if exported is None:
        return "The export has no such table."
    held, wanted = dict(zip(exported.columns, exported.types, strict=True)), dict(zip(columns, types, strict=True))
    differing = [name for name in {**held, **wanted} if held.get(name) != wanted.get(name)]
    return f"It differs in {', '.join(sorted(differing)) or 'the order of its columns'}."


def _not_compared(tables: Iterable[WorkTable]) -> Iterable[Finding]:
    """What PostgreSQL computes is not in the files, so there is nothing to hold it against."""
    for table in tables:
        if table.computed:
            names = ", ".join(column.source for column in table.computed)
            yield Finding(
                "generated-column",
                Severity.NOTE,
                table.name,
                f"{count_of(len(table.computed), 'column')} ({names}) computed by PostgreSQL and not in the files: "
                "not compared.",
                "To compare: migrator verify with the source.",
            )
