"""Building, proving and placing what a plan says: staging → copy ∥ indexes → keys → proof → rename.

Until the rename the target is untouched; afterwards it is complete.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.errors import Mismatch, TargetError
from migrator.core.findings import Finding, count_of
from migrator.core.plan import Plan
from migrator.core.progress import Progress
from migrator.core.script import TRIGGERS, printed
from migrator.run_folder import RunFolder
from migrator.steps.building import Builder, finish_tables, finish_views, rehearse_triggers
from migrator.steps.copying import copy_tables
from migrator.steps.covered import Covered, check_covered
from migrator.steps.earlier import PlacedTables
from migrator.steps.identity import identity_columns, restart
from migrator.steps.known import Ground
from migrator.steps.origin import Origin
from migrator.steps.references import settle_orphans
from migrator.steps.resume import Attempt, Resumption, Standing, resumable
from migrator.steps.verification import Proof, explained_by, verify_all
from migrator.steps.watchdog import Watchdog
from migrator.target import staging
from migrator.target.connection import (
    CONNECT_TIMEOUT_S,
    Target,
    connect,
    connect_for_building,
    hurried,
    target_error,
    target_errors,
)
from migrator.target.functions import check_functions
from migrator.target.staging import Placement
from migrator.target.standing import Marks, read_marks
from migrator.tasks.table import WorkTable
from migrator.workers import WorkerPool


@dataclass(frozen=True, kw_only=True)
class CarryRequest:
    """`outcome` is what is to be written down of a result; `confirm` is asked before --replace drops something.

    `left_behind` is told of a run that could not be removed from the target. `giving_way` are tables of an earlier run.
    """

    attempt: Attempt
    outcome: Callable[[RunResult], dict[str, Any]]
    into_existing: bool = False
    replace: bool = False
    dry_run: bool = False
    confirm: Callable[[list[str]], None] | None = None  # raises to stop
    left_behind: Callable[[str], None] = lambda run_id: None
    watchdog: Watchdog | None = None
    workers: int = 2
    giving_way: PlacedTables | None = None

    @property
    def replaces(self) -> bool:
        """Whether rows in the target may be dropped."""
        return self.replace or self.giving_way is not None

    def leaving(self, schema: str, ground: Ground | None) -> set[str]:
        """The names in that schema of the target which become free."""
        names = set(ground.relations) if ground else set()
        return names | self.giving_way.relations if self.giving_way and self.giving_way.schema == schema else names

    @property
    def target(self) -> Target:
        return self.attempt.target

    @property
    def folder(self) -> RunFolder:
        return self.attempt.folder


@dataclass
class RunResult:
    """The outcome. Seconds per phase are in `seconds`; rows are those that arrived."""

    run_id: str
    folder: Path
    attempt: int = 1
    tables: int = 0
    rows: int = 0
    rejects: int = 0
    healed: int = 0
    placed: str = ""  # the schema; empty after a dry run
    standing: Marks = field(default_factory=dict)  # of what was placed, where rows were left out
    planned: dict[str, int] = field(default_factory=dict)  # kind of object → how many
    snapshot: str = ""
    wal_bytes: int = 0  # the source's write-ahead log at the end: it grows while readers are pinned
    proof: Proof = field(default_factory=Proof)
    findings: tuple[Finding, ...] = ()
    covered: list[Covered] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def check_reachable(request: CarryRequest, schema: str, ground: Ground | None) -> None:
    """Raise TargetError for a target that is not there, read-only, or not empty where it has to be.

    That is before rows are read, which can take hours.
    """
    connection = connect(request.target)
    try:
        with target_errors(request.target, "to make a schema"):
            staging.rehearse_create(connection, request.attempt.run_id)
        if not (request.replace or request.into_existing):
            with target_errors(request.target, "a look at its tables"):
                leaving = request.leaving(schema, ground)
                staging.check_room(connection, Placement(schema), (), request.target.shown, leaving)
    finally:
        connection.close()


def staging_of(attempt: Attempt) -> str:
    """The name of the run's staging schema."""
    return f"{staging.PREFIX}{attempt.run_id}"


@dataclass
class Carrying:
    """One attempt, from the staging schema to the rename."""

    request: CarryRequest
    origin: Origin
    plan: Plan
    blueprint: Blueprint
    tables: list[WorkTable]  # in the staging schema
    pool: WorkerPool
    result: RunResult
    progress: Progress
    started: float
    ground: Ground | None = None

    def __post_init__(self) -> None:
        self.staging = staging_of(self.request.attempt)
        self.journal = self.request.attempt.journal
        self.placement = Placement(self.plan.target_schema, self.request.into_existing, self.request.replace)
        self.target = self.request.target
        self.identities = identity_columns(self.plan, self.origin.sequences())
        self.result.attempt = self.journal.attempt
        self.result.tables = len(self.tables)
        notes = self.ground.notes if self.ground else ()
        earlier = self.request.giving_way.names if self.request.giving_way else ()
        self.obsolete = sorted({*earlier, *(self.ground.standing if self.ground else ())})
        self.result.findings = tuple(dict.fromkeys((*self.result.findings, *self.blueprint.findings, *notes)))
        self.result.planned = {phase.value: len(self.blueprint.phase(phase)) for phase in Phase}

    def carry_out(self) -> None:
        connection = connect_for_building(self.target)
        builder = Builder(self.target, self.staging, max(2, self.request.workers), self.progress)
        try:
            self._check_target(connection)
            if self.request.dry_run:
                self.request.folder.write_outcome(self.request.outcome(self.result))
            else:
                self._build_and_place(connection, builder)
        except BaseException as error:
            builder.close()
            self.pool.stop()  # its sessions hold locks on what may be discarded next
            if self.request.dry_run:
                raise
            if self.request.watchdog:
                error = self.request.watchdog.or_stall(error)
            raise self._given_up(connection, error) from None
        finally:
            builder.close()
            connection.close()

    def _build_and_place(self, connection: psycopg.Connection, builder: Builder) -> None:
        standing = self._begin(connection)
        self._timed(connection, "copy", lambda: self._copy(connection, builder, standing))
        self._timed(connection, "indexes", lambda: self._indexes(connection, builder))
        self._timed(connection, "keys", lambda: self._keys(connection, builder, standing))
        proof = self._timed(connection, "verify", self._verify)
        self._place(connection, proof)
        self.request.folder.write_outcome(self.request.outcome(self.result))
        with target_errors(self.target, "the end of the journal"):
            self.journal.discard(connection)

    def _begin(self, connection: psycopg.Connection) -> Standing:
        """A staging schema with all tables, and what of an earlier attempt stands in it."""
        with target_errors(self.target, "the staging schema"), connection.transaction():
            staging.create(connection, self.staging)
            if self.request.attempt.record is None:
                source, folder = self.origin.path.resolve(), self.request.folder.path.resolve()
                self.journal.create(connection, str(source), str(folder), self.placement.schema, self.plan.rows)
        resumption = Resumption(
            connection, self.target, self.staging, self.journal, self.blueprint, self.tables, self.pool, self.progress
        )
        standing = self._timed(connection, "tables", resumption.take_up)
        with target_errors(self.target, "a rehearsal of the triggers"):
            rehearse_triggers(connection, self.staging, self.blueprint)
        return standing  # type: ignore[no-any-return]

    def _given_up(self, connection: psycopg.Connection, error: BaseException) -> BaseException:
        """What had arrived is kept for the next attempt, unless there is nothing or it is wrong."""
        try:
            with closing(self._answering(connection)) as answering:
                arrived = self.journal.progress(answering).units
                if not arrived or isinstance(error, Mismatch):
                    staging.discard(answering, self.staging)
                    self.journal.discard(answering)
                    return error
        except psycopg.errors.UndefinedTable:
            return error  # it had not begun
        except (psycopg.Error, TargetError):
            self.request.left_behind(self.request.attempt.run_id)
        return resumable(error, self.request.attempt.run_id)

    def _answering(self, connection: psycopg.Connection) -> psycopg.Connection:
        """That connection, or a new one: the old one may have been the error. Raises TargetError."""
        try:
            with hurried(connection, CONNECT_TIMEOUT_S):
                connection.execute("SELECT 1")
            return connection
        except psycopg.Error:
            return connect(self.target)

    def _check_target(self, connection: psycopg.Connection) -> None:
        """Everything that could stand in the way of the rename, before hours are spent on the copy."""
        with target_errors(self.target, "the preparation"):
            leaving = self.request.leaving(self.placement.schema, self.ground)
            rows = self._placed_names()
            staging.check_room(connection, self.placement, self._names(), self.target.shown, leaving, rows)
            doomed = staging.doomed(connection, self.placement, rows)
            functions = [item.name for item in self.blueprint.phase(Phase.FUNCTION)]
            check_functions(connection, self.placement.schema, functions, {*doomed, *self.obsolete}, self.target.shown)
        self._rehearse(connection, set(doomed))
        if doomed and self.request.confirm and not self.request.dry_run:
            self.request.confirm(doomed)

    def _rehearse(self, connection: psycopg.Connection, doomed: set[str]) -> None:
        owners = {shape.owner for shape in self.ground.standing.values()} if self.ground else set()
        if doomed or self.obsolete:
            try:
                staging.rehearse_drop(connection, self.placement, {*doomed, *self.obsolete}, owners)
            except psycopg.Error as error:
                raise target_error(self.target, "to replace its tables", error) from None

    def _placed_names(self) -> set[str]:
        return {*self.blueprint.tables, *(view.target for view in self.blueprint.views)}

    def _timed(self, connection: psycopg.Connection, phase: str, step):  # type: ignore[no-untyped-def]  # as the step
        started = time.monotonic()
        with target_errors(self.target, "a note in the journal"):
            self.journal.enter(connection, phase)
        try:
            return step()
        finally:
            self.progress.finish()
            self.result.seconds[phase] = time.monotonic() - started

    def _names(self) -> set[str]:
        phases = (Phase.TABLE, Phase.INDEX, Phase.VIEW)
        return {statement.name for statement in self.blueprint.phase(*phases)} | {*self.blueprint.sequences}

    # -- data ----------------------------------------------------------------------------------------------------------

    def _copy(self, connection: psycopg.Connection, builder: Builder, standing: Standing) -> None:
        self.progress.start("Copying", self.plan.rows or None)
        self.copied = copy_tables(
            self.pool, self.tables, self.blueprint, standing, self.journal, builder, self.progress
        )

    # -- post-data -----------------------------------------------------------------------------------------------------

    def _indexes(self, connection: psycopg.Connection, builder: Builder) -> None:
        self.progress.start("Building indexes", None)
        builder.wait()

    def _keys(self, connection: psycopg.Connection, builder: Builder, standing: Standing) -> None:
        foreign_keys = self.blueprint.phase(Phase.FOREIGN_KEY)
        validated = sum(item.validate is not None for item in foreign_keys)
        self.progress.start("Checking foreign keys, reading statistics", validated + len(self.blueprint.tables))
        self._settle(connection)
        missing = [item for item in self.blueprint.phase(Phase.KEY, Phase.FOREIGN_KEY) if not standing.has(item)]
        finish_tables(connection, self.target, self.staging, missing)
        builder.submit_validation(foreign_keys)
        builder.submit_analyze(self.blueprint.tables)
        builder.wait()
        with target_errors(self.target, "setting the sequences"):
            restart(connection, self.staging, self.identities)
        self.result.covered = self.origin.covered(self.copied.rows)
        check_covered(self.result.covered)
        finish_views(connection, self.target, self.staging, self.blueprint)

    def _settle(self, connection: psycopg.Connection) -> None:
        tables = {table.target: table for table in self.tables}
        rejected = self.copied.rejected + Counter(self.origin.rejected)
        self.copied.rows -= settle_orphans(
            connection, self.target, self.blueprint.references, tables, rejected, self.journal
        )
        with target_errors(self.target, "reading the journal"):
            self.explained = explained_by(
                map(json.loads, self.journal.lines(connection, "rejects.jsonl")),
                map(json.loads, self.journal.lines(connection, "healed.jsonl")),
            )
            self.result.rejects = self._write_lines(connection, "rejects.jsonl")
            self.result.healed = self._write_lines(connection, "healed.jsonl")
            self.request.folder.write_lines("units.jsonl", self.journal.arrivals(connection))

    def _write_lines(self, connection: psycopg.Connection, name: str) -> int:
        lines = itertools.chain(self.origin.lines(name), self.journal.lines(connection, name))
        return self.request.folder.write_lines(name, lines)

    # -- proof and rename ----------------------------------------------------------------------------------------------

    def _verify(self) -> Proof:
        self.progress.start("Verifying", self.copied.total or None)
        return verify_all(
            self.origin,
            self.pool,
            self.target,
            self.staging,
            self.blueprint,
            self.tables,
            self.identities,
            self.explained,
            self.progress,
        )

    def _place(self, connection: psycopg.Connection, proof: Proof) -> None:
        self.result.proof = proof
        self.result.rows = self.copied.total
        if not proof.holds:
            self.request.folder.write_outcome(self.request.outcome(self.result))
            raise Mismatch(
                f"{count_of(proof.differing, 'difference')} between source and target; the target was left as it was.",
                "; ".join(map(str, proof.differences[:5])),
                self._after_a_mismatch(proof),
            )
        self.result.placed = self.plan.target_schema
        self.result.wal_bytes = self.origin.wal_bytes
        self.result.seconds["total"] = time.monotonic() - self.started
        try:
            with connection.transaction():
                connection.execute("SET LOCAL synchronous_commit = on")
                staging.move_into_place(
                    connection,
                    self.staging,
                    self.placement,
                    self.blueprint.tables,
                    [view.target for view in self.blueprint.views],
                    self.obsolete,
                    [*self.blueprint.final, *printed(self.blueprint, *TRIGGERS)],
                    lambda: self._check_rows(connection),
                )
                if self.result.rejects:
                    # By them the tables are known again when the plan was mended, as long as nobody has changed them.
                    self.result.standing = read_marks(connection, self.placement.schema, self._placed_names())
                self.journal.place(connection, json.dumps(self.request.outcome(self.result)))
        except psycopg.Error as error:
            raise target_error(self.target, "the rename into place; nothing was changed", error) from None

    def _after_a_mismatch(self, proof: Proof) -> str:
        views = {view.source for view in self.blueprint.views}
        if names := [item.table for item in proof.differences if item.table in views]:
            return (
                f"To leave a view behind: [views.{names[0]}] with drop = true in the plan. "
                "If its result should be the same, please report it."
            )
        return f"migrator report {self.request.folder.path} shows the details. Please tell us: it is a defect of ours."

    def _check_rows(self, connection: psycopg.Connection) -> None:
        if self.ground:
            self.ground.check_rows(connection, self.placement.schema, self.request.replaces)
        if self.request.giving_way:
            self.request.giving_way.check(connection)
