"""export: one snapshot of the source → files that can be loaded anywhere, held against the source before they count."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from migrator.archive.folder import Exported, ExportFolder
from migrator.archive.manifest import VERSION, DataFile, ExportedTable, ExportedView, Manifest, Merge
from migrator.archive.results import write_rows
from migrator.core import script
from migrator.core.blueprint import Blueprint
from migrator.core.compare import Comparison, Difference
from migrator.core.errors import Interrupted, Mismatch
from migrator.core.findings import Finding, count_of
from migrator.core.model import Schema
from migrator.core.original import Original
from migrator.core.original import to_json as original_to_json
from migrator.core.plan import Plan, fingerprint
from migrator.core.plan_file import refresh
from migrator.core.progress import Progress
from migrator.core.shapes import to_json
from migrator.run_folder import RunFolder
from migrator.source.connection import sqlite_version
from migrator.source.original import read_original
from migrator.source.schema import open_schema
from migrator.steps.copying import parts_left
from migrator.steps.covered import Covered, check_covered
from migrator.steps.identity import identity_columns
from migrator.steps.known import Known, blueprint_of, known_application
from migrator.steps.origin import Database, NotCompared
from migrator.steps.plan import PlanRequest, fresh, reviewed, with_queries
from migrator.steps.resume import definitions
from migrator.steps.verification import explained_by
from migrator.tasks.careful import Explained
from migrator.tasks.export import ExportTask
from migrator.tasks.exported import ProveTask, StandsTask
from migrator.tasks.table import WorkTable, work_tables
from migrator.workers import WorkerPool, pinned_workers


@dataclass(frozen=True)
class ExportRequest:
    """`suffix` of the data files says how they are compressed; `stamp` is that of the source before it was opened."""

    source: Path
    folder: ExportFolder
    plan: Path | None
    planning: PlanRequest
    suffix: str
    stamp: list[list[str | int]]
    workers: int = 2


@dataclass
class ExportResult:
    """`kept` data files stood from an earlier attempt. Seconds are per phase; bytes are those on the disk."""

    folder: Path
    tables: int = 0
    rows: int = 0
    rejects: int = 0
    healed: int = 0
    files: int = 0
    kept: int = 0
    bytes: int = 0
    snapshot: str = ""
    findings: tuple[Finding, ...] = ()
    covered: list[Covered] = field(default_factory=list)
    views: dict[str, str] = field(default_factory=dict)  # view → why its result is not among the files
    seconds: dict[str, float] = field(default_factory=dict)


def export(request: ExportRequest, progress: Progress) -> ExportResult:
    """Write the export. Raises MigratorError; until manifest.json is there, the folder holds none."""
    scratch = request.folder.path / "scratch"
    try:
        with _resumable(request.folder):
            return _export(request, scratch, progress)
    finally:
        progress.finish()
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _resumable(folder: ExportFolder) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if not folder.count:
            raise
        raise Interrupted(
            "Interrupted.",
            f"{count_of(folder.count, 'data file is', 'data files are')} kept in {folder.path}.",
            "The same command goes on.",
        ) from None


def _export(request: ExportRequest, scratch: Path, progress: Progress) -> ExportResult:
    started = time.monotonic()
    with open_schema(request.source, scratch) as (path, schema):
        planned = reviewed(request.plan, schema)
        known = known_application(planned.plan.profile if planned else request.planning.profile, path, schema)
        shapes = known.profile.recorded(known.answers) if known else None
        planned = planned or fresh(request.planning, schema, shapes, progress)
        plan = known.profile.conform(planned.plan, shapes) if known and shapes is not None else planned.plan
        result = ExportResult(request.folder.path, findings=planned.findings)
        with pinned_workers(request.workers, path, scratch) as (pool, method):
            completed, left_behind = with_queries(plan, schema, pool)
            text = planned.text if completed is plan else refresh(planned.text, completed)
            blueprint = blueprint_of(schema, completed, shapes)
            result.findings = tuple(dict.fromkeys((*result.findings, *left_behind, *blueprint.findings)))
            result.snapshot = method.name
            result.seconds["prepare"] = time.monotonic() - started
            origin = Database(request.source, schema, completed, pool, method)
            tables = work_tables(completed, schema, blueprint.generated, completed.target_schema)
            exporting = _Exporting(request, schema, completed, blueprint, tables, origin, pool, result, progress)
            exporting.write_rows()
            exporting.prove()
            exporting.write_rest(text, read_original(path), to_json(shapes) if shapes is not None else None, known)
    result.seconds["total"] = time.monotonic() - started
    return result


@dataclass
class _Exporting:
    request: ExportRequest
    schema: Schema
    plan: Plan
    blueprint: Blueprint
    tables: Sequence[WorkTable]
    origin: Database
    pool: WorkerPool
    result: ExportResult
    progress: Progress
    done: list[Exported] = field(default_factory=list)
    files: Mapping[str, list[DataFile]] = field(default_factory=dict)  # by target table, when all are written

    # -- rows ----------------------------------------------------------------------------------------------------------

    def write_rows(self) -> None:
        """What an earlier attempt has written is read again, and kept where the source has not changed since."""
        started = time.monotonic()
        folder = self.request.folder
        made_of = definitions(self.blueprint, self.tables)
        self.done = self._standing(made_of)
        self.result.kept = len(self.done)
        folder.keep(self.done)
        parts = parts_left(self.pool, self.tables, _by_table(self.done))
        tasks = [
            ExportTask(table, part, folder.path, self.request.suffix, made_of[table.target])
            for table in self.tables
            for part in parts[table.target]
        ]
        self.progress.start("Exporting", self.plan.rows or None)
        for _, exported in self.pool.run(tasks, self.progress.advance):
            folder.add(exported)
            self.done.append(exported)
        self.progress.finish()
        self.done = self._in_order()
        self.files = _by_table(self.done)
        self.result.seconds["export"] = time.monotonic() - started
        rows = {table.name: sum(file.rows for file in self.files[table.target]) for table in self.tables}
        self.result.covered = self.origin.covered(rows)
        check_covered(self.result.covered)

    def _in_order(self) -> list[Exported]:
        """By table and rowid, and not as the workers came to an end: two exports of one source are alike."""
        places = {table.target: number for number, table in enumerate(self.tables)}
        return sorted(self.done, key=lambda item: (places[item.file.table], item.file.low is not None, item.file.low))

    def _standing(self, made_of: Mapping[str, str]) -> list[Exported]:
        by_name = {table.target: table for table in self.tables}
        known = {
            item.file: item
            for item in self.request.folder.known
            if made_of.get(item.file.table) == item.definition
            and item.file.name.endswith(f".copy{self.request.suffix}")
        }
        tasks = [StandsTask(by_name[file.table], file) for file in known]
        if tasks:
            self.progress.start("Comparing what is written", sum(file.rows for file in known) or None)
        answers = list(self.pool.run(tasks, self.progress.advance))
        return [known[task.file] for task, stands in answers if isinstance(task, StandsTask) and stands]

    # -- proof ---------------------------------------------------------------------------------------------------------

    def prove(self) -> None:
        """Hold every file against the source. Raises Mismatch."""
        started = time.monotonic()
        by_name = {table.target: table for table in self.tables}
        tasks = []
        for item in self.done:
            table = by_name[item.file.table]
            explained = explained_by(item.rejects, ()).get(table.name, Explained())
            tasks.append(ProveTask(table, item.file, self.request.folder.path, explained))
        self.progress.start("Verifying", sum(item.file.rows for item in self.done) or None)
        total = Comparison()
        for task, comparison in self.pool.run(tasks, self.progress.advance):
            assert isinstance(task, ProveTask)
            total.merge(comparison)
            if (comparison.rows, comparison.rejected) != (task.file.rows, task.file.rejected):
                total.add(_miscounted(task.file, comparison))
        self.progress.finish()
        self.result.seconds["verify"] = time.monotonic() - started
        if total.differing:
            raise Mismatch(
                f"{count_of(total.differing, 'difference')} between the source and the files; this is no export.",
                "; ".join(map(str, total.differences[:5])),
                "Please report this: it is a defect of the migrator.",
            )
        self.result.rows = total.rows

    # -- the rest ------------------------------------------------------------------------------------------------------

    def write_rest(self, plan_text: str, original: Original, shapes: str | None, known: Known | None) -> None:
        folder = self.request.folder
        texts = {"plan.toml": plan_text, "original.json": original_to_json(original), **self._scripts()}
        if shapes is not None:
            texts["shapes.json"] = shapes
        views = [self._view(number, texts) for number in range(len(self.blueprint.views))]
        for name, text in texts.items():
            (folder.path / name).parent.mkdir(exist_ok=True)
            folder.write(name, text)
        lines = RunFolder(folder.path)
        self.result.rejects = lines.write_lines("rejects.jsonl", _lines(item.rejects for item in self.done))
        self.result.healed = lines.write_lines("healed.jsonl", _lines(item.healed for item in self.done))
        manifest = self._manifest(views, known, [*texts, "rejects.jsonl", "healed.jsonl"])
        self.result.tables = len(manifest.tables)
        self.result.files = len(self.done)
        self.result.bytes = sum(file.bytes for file in manifest.files())
        lines.write_outcome(_outcome(manifest))
        folder.finish(manifest.to_json())

    def _scripts(self) -> dict[str, str]:
        floors = [(item.table, item.column, item.floor) for item in identity_columns(self.plan, self._sequences)]
        rejected = [item.file.table for item in self.done if item.file.rejected]
        files = [
            script.Load(table.target, tuple(c.target for c in table.columns), file.name, file.rows)
            for table in self.tables
            for file in self.files[table.target]
        ]
        fits = script.fits_psql(files, self.plan)
        return {
            "pre-data.sql": script.pre_data(self.blueprint, self.plan),
            "post-data.sql": script.post_data(self.blueprint, self.plan, floors, rejected),
            "load.sql": script.load(files, self.plan, compressed=bool(self.request.suffix)) if fits else script.UNFIT,
        }

    @property
    def _sequences(self) -> Mapping[str, int]:
        return self.origin.sequences()

    def _view(self, number: int, texts: dict[str, str]) -> ExportedView:
        view = self.blueprint.views[number]
        try:
            rows = self.origin.view_rows(view)
        except NotCompared as error:
            self.result.views[view.source] = str(error)
            return ExportedView(view.source, reason=str(error))
        name = f"views/{number + 1:04}.jsonl"
        texts[name] = write_rows(rows)
        return ExportedView(view.source, tuple(sorted(self.origin.view_tables(view))), name)

    def _manifest(self, views: Sequence[ExportedView], known: Known | None, names: Iterable[str]) -> Manifest:
        folder = self.request.folder.path
        present = {name: folder / name for name in names if (folder / name).exists()}
        return Manifest(
            version=VERSION,
            migrator=version("metastore-migrator"),
            sqlite=sqlite_version(),
            source=str(self.request.source.resolve()),
            exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
            snapshot=self.result.snapshot,
            stamp=self.request.stamp,
            fingerprint=fingerprint(self.schema),
            schema=self.schema,
            tables=tuple(self._table(table) for table in self.tables),
            sequences=dict(self._sequences),
            merges=tuple(Merge(item.query, item.rows_in, item.accepted) for item in self.result.covered),
            views=tuple(views),
            answers={name: [list(row) for row in rows] for name, rows in known.answers.items()} if known else {},  # type: ignore[arg-type]  # what a profile asks for
            others={name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in present.items()},
        )

    def _table(self, table: WorkTable) -> ExportedTable:
        columns = tuple(column.target for column in table.columns)
        types = tuple(cell.conversion.copy_type for cell in table.copied)
        return ExportedTable(table.name, table.target, columns, types, tuple(self.files[table.target]))


def _by_table(done: Iterable[Exported]) -> Mapping[str, list[DataFile]]:
    """Target table → its files, in that order."""
    found: dict[str, list[DataFile]] = defaultdict(list)
    for item in done:
        found[item.file.table].append(item.file)
    return found


def _outcome(manifest: Manifest) -> dict[str, object]:
    """As a run leaves it, so that migrator verify takes the folder for one: psql may have loaded it."""
    rows = {table.source: {"rows": table.rows} for table in manifest.tables}
    return {"source": manifest.source, "target": None, "proof": {"tables": rows}}


def _lines(groups: Iterable[Iterable[Mapping[str, object]]]) -> Iterator[str]:
    for group in groups:
        yield from map(json.dumps, group)


def _miscounted(file: DataFile, found: Comparison) -> Difference:
    wanted = f"{count_of(file.rows, 'row')} and {file.rejected:,} rejected"
    return Difference(file.table, {}, None, f"{found.rows:,} and {found.rejected:,} rejected", wanted)
