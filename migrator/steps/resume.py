"""Going on where an interrupted run was: what of it stands, and what has to be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from migrator.core.blueprint import Blueprint, Phase, Statement
from migrator.core.errors import Failure, Interrupted, MigratorError, Stalled, UsageError
from migrator.core.progress import Progress
from migrator.run_folder import RunFolder, create_run_folder, new_run_id, reopen_run_folder
from migrator.steps.building import create_tables
from migrator.target.catalog import constraints, relations
from migrator.target.connection import APPLICATION_NAME, Target, connect, target_errors
from migrator.target.journal import VERSION, Journal, RunRecord, Unit, end_sessions, read_runs, sessions
from migrator.target.staging import PREFIX as STAGING
from migrator.tasks.recheck import RecheckTask
from migrator.tasks.table import WorkTable
from migrator.workers import WorkerPool


@dataclass(frozen=True)
class Attempt:
    """This attempt of a run: a first one, or one that goes on where `record` says. `target` names its sessions."""

    journal: Journal
    folder: RunFolder
    target: Target
    record: RunRecord | None = None

    @property
    def run_id(self) -> str:
        return self.journal.run_id


def first_attempt(target: Target, source: Path, runs: Path) -> Attempt:
    """A new run. Raises Failure where its folder cannot be made."""
    run_id = new_run_id()
    return Attempt(Journal(run_id), create_run_folder(runs, source, run_id), named_target(target, run_id))


def next_attempt(target: Target, source: Path, runs: Path) -> Attempt:
    """The newest unfinished run of that source in that database, or a new one. Raises TargetError, Failure."""
    connection = connect(target)
    try:
        with target_errors(target, "a look for an unfinished run"):
            mine = [record for record in read_runs(connection) if record.source == str(source.resolve())]
        record = mine[0] if mine else None
        if record is None:
            return first_attempt(target, source, runs)
        if record.version != VERSION:
            raise UsageError(
                f"The unfinished run {record.run_id} in {target.shown} was begun by another version of migrator.",
                next_step=f"Finish it with that version, or discard it: {how_to_discard(record.run_id)}",
            )
        with target_errors(target, "the next attempt of the interrupted run"):
            _check_alone(connection, record)
            folder = reopen_run_folder(Path(record.folder))
            # One that does not know yet that its client is gone may hold a lock on the journal; one that comes after
            # that is told by the journal that its attempt is over.
            end_sessions(connection, session_name(record.run_id))
            journal = Journal(record.run_id).take_over(connection)
            end_sessions(connection, session_name(record.run_id))
        return Attempt(journal, folder, named_target(target, record.run_id), record)
    finally:
        connection.close()


def _check_alone(connection: psycopg.Connection, record: RunRecord) -> None:
    """The lock on the run folder tells of processes on this computer only. Raises Failure."""
    if record.host != platform.node() and sessions(connection, session_name(record.run_id)):
        raise Failure(
            f"The run {record.run_id} of this source goes on, on the computer {record.host}.",
            "Its sessions are open in the target.",
            "Wait for it, or end it there; what a dead computer has left the server ends by itself after a while.",
        )


def session_name(run_id: str) -> str:
    """The application_name of a run's sessions."""
    return f"{APPLICATION_NAME} {run_id}"


def named_target(target: Target, run_id: str) -> Target:
    """The same database; its sessions bear the run's name."""
    return replace(target, parameters={**target.parameters, "application_name": session_name(run_id)})


def how_to_discard(run_id: str) -> str:
    """The statement that removes all that an unfinished run has left in the target."""
    return f'DROP SCHEMA IF EXISTS "{STAGING}{run_id}", "{Journal(run_id).schema}" CASCADE'


def finish_placed(attempt: Attempt) -> dict[str, Any]:
    """Write down the outcome of a run that was killed behind its rename, and return it."""
    assert attempt.record
    outcome: dict[str, Any] = json.loads(attempt.record.outcome or "{}")
    connection = connect(attempt.target)
    try:
        attempt.folder.write_outcome(outcome)
        with target_errors(attempt.target, "the end of the journal"):
            attempt.journal.discard(connection)
    finally:
        connection.close()
    return outcome


def resumable(error: BaseException, run_id: str) -> BaseException:
    """The same error, with what to do next."""
    go_on = f"The same command goes on where it was. To discard it instead: {how_to_discard(run_id)}"
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("Interrupted.", "What had arrived is kept in the target.", go_on)
    if isinstance(error, Stalled):
        return Interrupted(error.what, error.why, f"{error.next_step} {go_on}")
    if isinstance(error, MigratorError):
        return type(error)(error.what, error.why, f"{error.next_step} {go_on}".strip())
    return error


@dataclass(frozen=True)
class Standing:
    """What there is already: finished units by target table, indexes, and (table, constraint)."""

    units: Mapping[str, Sequence[Unit]] = field(default_factory=dict)
    indexes: frozenset[str] = frozenset()
    constraints: frozenset[tuple[str, str]] = frozenset()

    def has(self, statement: Statement) -> bool:
        """Whether what the statement makes is there."""
        if statement.phase is Phase.INDEX:
            return statement.name in self.indexes
        return (statement.table, statement.name) in self.constraints


@dataclass
class Resumption:
    """Brings the staging schema to where the plan, as it is now, can be carried on."""

    connection: psycopg.Connection
    target: Target
    staging: str
    journal: Journal
    blueprint: Blueprint
    tables: Sequence[WorkTable]
    pool: WorkerPool
    progress: Progress

    def take_up(self) -> Standing:
        """Raises TargetError, SourceError."""
        with target_errors(self.target, "the staging schema of the interrupted run"):
            return self._take_up()

    def _take_up(self) -> Standing:
        wanted = definitions(self.blueprint, self.tables)
        known = self.journal.definitions(self.connection)
        present = relations(self.connection, self.staging)
        tables = {name for name, kind in present.items() if kind == "table"}
        changed = {name for name, digest in wanted.items() if known.get(name) != digest or name not in tables}
        kept, stale = self._recheck(wanted.keys() - changed)
        self._drop("VIEW", [name for name, kind in present.items() if kind == "view"])
        again = self.journal.settled_tables(self.connection) - changed
        # Loading and deleting rows would obey the foreign keys, one row at a time, and some keys take rows along.
        self._drop_foreign_keys()
        for name in sorted((tables | known.keys()) - (wanted.keys() - changed)):
            with self.connection.transaction():
                self._drop("TABLE", [name])
                self.journal.forget(self.connection, name)
        for name in sorted(again):
            self._empty(name)
            kept.pop(name, None)
        for unit in stale:
            if unit.table not in again:
                self._take_back(unit, kept)
        missing = [item for item in self.blueprint.phase(Phase.TABLE) if item.table not in tables - changed]
        create_tables(self.connection, self.target, self.staging, missing)
        self.journal.define(self.connection, {name: wanted[name] for name in changed})
        present = relations(self.connection, self.staging)
        indexes = frozenset(name for name, kind in present.items() if kind == "index")
        return Standing(kept, indexes, frozenset(constraints(self.connection, self.staging)))

    def _recheck(self, names: set[str]) -> tuple[dict[str, list[Unit]], list[Unit]]:
        """Units that are as they were, by table, and those of which the source has changed since."""
        units = self.journal.units(self.connection)
        by_name = {table.target: table for table in self.tables}
        tasks = [RecheckTask(by_name[name], unit) for name in sorted(names & units.keys()) for unit in units[name]]
        kept: dict[str, list[Unit]] = defaultdict(list)
        stale = []
        if tasks:
            self.progress.start("Comparing what has arrived", sum(task.unit.rows for task in tasks) or None)
        for task, same in self.pool.run(tasks, self.progress.advance):
            assert isinstance(task, RecheckTask)
            if same:
                kept[task.table.target].append(task.unit)
            else:
                stale.append(task.unit)
        return kept, stale

    def _take_back(self, unit: Unit, kept: dict[str, list[Unit]]) -> None:
        """Delete a unit's rows: by the rowid where the target has it, with the whole table where it does not."""
        table = next(table for table in self.tables if table.target == unit.table)
        rowid = table.rowid_target
        if unit.low is None or rowid is None:
            self._empty(unit.table)
            kept.pop(unit.table, None)
            return
        statement = sql.SQL("DELETE FROM {} WHERE {} BETWEEN %s AND %s").format(
            table.identifier(), sql.Identifier(rowid)
        )
        with self.connection.transaction():
            self.connection.execute(statement, (unit.low, unit.high))
            self.journal.forget(self.connection, unit.table, unit)

    def _empty(self, name: str) -> None:
        with self.connection.transaction():
            self.connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(self.staging, name)))
            self.journal.forget(self.connection, name)

    def _drop(self, kind: str, names: Sequence[str]) -> None:
        for name in names:
            statement = sql.SQL("DROP {} IF EXISTS {} CASCADE")
            self.connection.execute(statement.format(sql.SQL(kind), sql.Identifier(self.staging, name)))

    def _drop_foreign_keys(self) -> None:
        for (table, name), kind in constraints(self.connection, self.staging).items():
            if kind == "f":
                statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
                self.connection.execute(statement.format(sql.Identifier(self.staging, table), sql.Identifier(name)))


def definitions(blueprint: Blueprint, tables: Sequence[WorkTable]) -> dict[str, str]:
    """Target table → a digest of how its rows come about and of what it is: where it differs, the table is another.

    Foreign keys are not in it. They are added at the end, and what becomes of orphans may be decided anew.
    """
    made_of: dict[str, list[object]] = {name: [] for name in blueprint.tables}
    for table in tables:
        made_of[table.target] = [
            table.relation.name,
            table.relation.query,
            table.encoding,
            sorted(table.required),
            [
                (column.source, column.target, str(column.type), repr(column.options), column.policy.value)
                for column in (*table.columns, *table.computed)
            ],
        ]
    for item in blueprint.phase(Phase.TABLE, Phase.INDEX, Phase.KEY):
        made_of.setdefault(item.table, []).append(item.sql)
    return {name: hashlib.sha256(json.dumps(parts).encode()).hexdigest() for name, parts in made_of.items()}
