"""reverse: PostgreSQL → a new SQLite file → proof → its place. Until the last step nobody knows the file's name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from migrator.core.compare import Comparison
from migrator.core.errors import Failure, Mismatch, TargetError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.from_catalog import draft, made
from migrator.core.original import COLUMN, INDEX, TABLE, TRIGGER, VIEW, VIRTUAL, Definition
from migrator.core.progress import Progress
from migrator.core.way_back import TableBack, WayBack
from migrator.core.work import Reject
from migrator.run_folder import RunFolder
from migrator.source.connection import source_errors
from migrator.source.new_file import NewFile, check_place, file_errors, new_file, open_finished, place
from migrator.steps.returning import Earlier, find_run, invert, read_run
from migrator.steps.verification import Proof
from migrator.target.catalog import filled_tables, sequence_positions
from migrator.target.connection import Target, connect, target_errors
from migrator.target.tables import hold_still, read_schema, share_snapshot, with_negative_zeros
from migrator.tasks.bring_back import REMEDY, BringBack, Brought
from migrator.tasks.compare_back import CheckFile, Sum, SumFile, SumServer, explain
from migrator.workers import WorkerPool

_CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


@dataclass(frozen=True)
class ReverseRequest:
    """`schema` None means: by the plan of an earlier run, if there is one. `confirm` is asked before --replace."""

    server: Target
    file: Path
    run_id: str
    folder: RunFolder
    run: Path | None
    run_dir: Path
    schema: str | None
    outcome: Callable[[Returned], dict[str, Any]]
    replace: bool = False
    dry_run: bool = False
    confirm: Callable[[Path, Path], None] | None = None
    workers: int = 2


@dataclass
class Returned:
    """The outcome. `run` is the earlier run whose plan was inverted; `kept` is where the file that was there is now."""

    run_id: str
    folder: Path
    file: Path
    run: Path | None = None
    schema: str = ""
    tables: int = 0
    rows: int = 0
    rejects: int = 0
    placed: bool = False
    kept: Path | None = None
    planned: dict[str, int] = field(default_factory=dict)
    proof: Proof = field(default_factory=Proof)
    findings: list[Finding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def reverse(request: ReverseRequest, progress: Progress) -> Returned:
    """Raises MigratorError; whatever happens, the file is as it was, or new and complete."""
    try:
        return _reverse(request, progress)
    finally:
        request.folder.remove_if_empty()


def _reverse(request: ReverseRequest, progress: Progress) -> Returned:
    result = Returned(request.run_id, request.folder.path, request.file)
    check_place(request.file, replace=request.replace)
    if request.file.exists():
        result.kept = request.file.with_name(f"{request.file.name}.replaced-{request.run_id}")
    run = None
    if request.schema is None:
        run = request.run or find_run(request.run_dir, request.server.shown, request.file)
    earlier = read_run(run) if run else None
    connection = connect(request.server)
    try:
        with target_errors(request.server, "reading its tables"):
            way = _plan(connection, earlier, request.schema or (earlier.plan.target_schema if earlier else "public"))
            _Return(request, way, connection, progress, result).carry_out()
    finally:
        connection.close()
    return result


def _plan(connection: psycopg.Connection, earlier: Earlier | None, schema: str) -> WayBack:
    """Begins the transaction from which everything is read. Raises TargetError, DecisionNeeded."""
    exists = connection.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", (schema,)).fetchone()
    if exists != (True,):
        raise TargetError(f"PostgreSQL has no schema {schema}.", next_step="Name the tables' schema: --schema NAME")
    ours = {table.target for table in earlier.plan.tables} if earlier else None
    hold_still(connection, schema, ours)
    served = read_schema(connection, schema)
    if not served.tables:
        raise TargetError(
            f"There is no table in the schema {schema}.", next_step="Name the tables' schema: --schema NAME"
        )
    if earlier:
        there = [table.name for table in served.tables if ours is None or table.name in ours]
        return invert(earlier, served, filled_tables(connection, schema, there))
    drafted = draft(schema, [with_negative_zeros(connection, schema, table) for table in served.tables], served.others)
    return WayBack(made(drafted), drafted.tables, drafted.findings)


@dataclass
class _Return:
    request: ReverseRequest
    way: WayBack
    connection: psycopg.Connection
    progress: Progress
    result: Returned
    rejected: int = 0

    def carry_out(self) -> None:
        result, way = self.result, self.way
        result.run, result.tables, result.findings = way.run, len(way.tables), list(way.findings)
        result.schema = way.tables[0].schema if way.tables else ""
        result.planned = {kind: len(way.original.of(kind)) for kind in (TABLE, VIRTUAL, INDEX, VIEW, TRIGGER)}
        if self.request.dry_run:
            return
        if result.kept and self.request.confirm:
            self.request.confirm(self.request.file, result.kept)
        started = time.monotonic()
        self.request.folder.write_schema(way.original.sql())
        with new_file(self.request.file, way.original) as file, file_errors(self.request.file):
            brought = self._timed("copy", lambda: self._copy(file))
            self._timed("indexes", lambda: self._finish(file))
            self._timed("verify", lambda: self._verify(file, brought))
            result.rejects = self.rejected
            place(file.path, self.request.file, result.kept)
        result.placed = True
        result.seconds["total"] = time.monotonic() - started
        self.request.folder.write_outcome(self.request.outcome(result))

    def _timed(self, phase: str, step):  # type: ignore[no-untyped-def]  # returns what the step returns
        started = time.monotonic()
        try:
            return step()
        finally:
            self.progress.finish()
            self.result.seconds[phase] = time.monotonic() - started

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _copy(self, file: NewFile) -> dict[str, Brought]:
        """Unique indexes stand before the rows do, so that a row that breaks one is rejected by itself."""
        original = self.way.original
        self._make(file, [*original.of(TABLE), *original.of(COLUMN)], essential=True)
        self._make(file, [item for item in original.of(INDEX) if item.unique])
        self.progress.start("Copying", None)
        brought = {}
        for table in self.way.tables:
            brought[table.name] = BringBack(self.connection, file, table, self.progress.advance, self._reject).run()
        self.result.rows = sum(item.rows for item in brought.values())
        return brought

    def _reject(self, rejects: Iterable[Reject]) -> None:
        lines = [json.dumps({**reject.line(), "remedy": REMEDY}, ensure_ascii=False) for reject in rejects]
        self.rejected += len(lines)
        if lines:
            self.request.folder.append_lines("rejects.jsonl", lines)

    # -- what comes behind the rows ------------------------------------------------------------------------------------

    def _make(self, file: NewFile, definitions: Iterable[Definition], *, essential: bool = False) -> None:
        for item, said in file.make(definitions):
            if essential:
                raise Failure(f"The table {item.table} cannot be made.", f"SQLite says: {said}.")
            message = f"It could not be made in the file: {said}."
            self.result.findings.append(
                Finding(item.kind, Severity.WARNING, item.name, message, "Let the application make it.", item.sql)
            )

    def _finish(self, file: NewFile) -> None:
        self.progress.start("Building indexes", None)
        original = self.way.original
        self._make(file, [item for item in original.of(INDEX) if not item.unique])
        virtual = original.of(VIRTUAL)
        self._make(file, virtual)
        for item in virtual:
            message = "The virtual table is there and empty."
            if file.rebuild(item):
                message = "The virtual table was filled from the table that it searches."
            self.result.findings.append(Finding("virtual-table", Severity.WARNING, item.name, message))
        self._make(file, original.of(VIEW))
        self._make(file, original.of(TRIGGER))
        file.set_sequences(self._sequences(file))
        file.close()

    def _sequences(self, file: NewFile) -> dict[str, int]:
        """The highest number that has ever been given out, where that is above 0."""
        tables = [(table, table.sequence) for table in self.way.tables if table.sequence]
        places = [(table.target, column) for table, column in tables]
        following = sequence_positions(self.connection, self.result.schema, places)
        found = {
            table.name: max(number - 1, file.highest_rowid(table.name))
            for (table, _), number in zip(tables, following, strict=True)
        }
        return {name: number for name, number in found.items() if number > 0}

    # -- proof ---------------------------------------------------------------------------------------------------------

    def _verify(self, file: NewFile, brought: dict[str, Brought]) -> None:
        """Each side of a table is a worker's task; a table whose sums differ is looked at again, row by row."""
        self.progress.start("Verifying", self.result.rows or None)
        encoding, snapshot = _CODECS[self.way.original.encoding], share_snapshot(self.connection)
        tasks: list[CheckFile | SumFile | SumServer] = [CheckFile()]
        for table in sorted(self.way.tables, key=lambda table: -brought[table.name].rows):
            tasks += [SumServer(table, brought[table.name], snapshot), SumFile(table, encoding)]
        with WorkerPool(self.request.workers, file.path, self.request.server) as pool:
            results = {id(task): result for task, result in pool.run(tasks, self.progress.advance)}
        sums: dict[str, list[Sum]] = {}
        for task in tasks:
            if not isinstance(task, CheckFile):
                sums.setdefault(task.table.name, []).append(results[id(task)])
        for table in self.way.tables:
            comparison = Comparison(rows=brought[table.name].rows, rejected=brought[table.name].rejected.total())
            if len(set(sums[table.name])) > 1:
                comparison = self._explain(file, table, encoding, brought[table.name])
            self.result.proof.tables[table.name] = comparison
        self._conclude(*results[id(tasks[0])])

    def _explain(self, file: NewFile, table: TableBack, encoding: str, brought: Brought) -> Comparison:
        with source_errors(file.path):
            opened = open_finished(file.path)
            try:
                return explain(self.connection, opened, table, encoding, brought)
            finally:
                opened.close()

    def _conclude(self, broken: list[str], rules: list[str]) -> None:
        for rule in rules:
            self.result.findings.append(Finding("rule-broken", Severity.WARNING, "the file", f"{rule}."))
        proof = self.result.proof
        if broken or not proof.holds:
            raise Mismatch(
                f"{count_of(proof.differing + len(broken), 'difference')} between PostgreSQL and the file.",
                "; ".join([*map(str, proof.differences[:5]), *broken[:5]]),
                "The file was removed. Please report this: it is a defect of the migrator.",
            )
