"""status: the runs that a target knows of, whether they go on, and how far they are."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import psycopg

from migrator.disk import is_abandoned
from migrator.steps.resume import how_to_discard, session_name
from migrator.target.connection import Target, connect, target_errors
from migrator.target.journal import Journal, Progress, RunRecord, read_runs, sessions
from migrator.target.staging import size_bytes

_PHASES = {
    "tables": "making its tables",
    "copy": "copying",
    "indexes": "building indexes",
    "keys": "checking keys",
    "verify": "comparing every row",
}


@dataclass(frozen=True)
class RunStatus:
    """`at_work` is what the run's sessions are doing now; without any, the run was interrupted."""

    record: RunRecord
    progress: Progress
    at_work: tuple[str, ...]
    staged_bytes: int

    @property
    def state(self) -> str:
        if self.record.placed_at:
            return "in place; its end was not told"
        return "going on" if self.at_work else "interrupted"

    @property
    def doing(self) -> str:
        """The phase in words."""
        return _PHASES.get(self.record.phase, self.record.phase)

    @property
    def left(self) -> int:
        """Rows that had not arrived, by what the plan knew of the source."""
        return max(0, self.record.expected_rows - self.progress.rows)

    @property
    def rows_per_s(self) -> float | None:
        """Over all attempts, from the begin of the first to the last unit that arrived."""
        if self.progress.last_at is None:
            return None
        return self.progress.rows / max((self.progress.last_at - self.record.begun_at).total_seconds(), 0.001)

    @property
    def discard(self) -> str:
        return how_to_discard(self.record.run_id)


def status(target: Target) -> list[RunStatus]:
    """The newest first. Raises TargetError."""
    connection = connect(target)
    try:
        with target_errors(target, "a look at its runs"):
            return [_status(connection, record) for record in read_runs(connection)]
    finally:
        connection.close()


def _status(connection: psycopg.Connection, record: RunRecord) -> RunStatus:
    journal = Journal(record.run_id)
    at_work = tuple(doing for _, doing in sessions(connection, session_name(record.run_id)))
    if record.host == platform.node() and is_abandoned(Path(record.folder)):
        at_work = ()  # the server has not noticed yet that its client is gone
    return RunStatus(record, journal.progress(connection), at_work, size_bytes(connection, record.run_id))
