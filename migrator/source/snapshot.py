"""One state of the database for many readers.

A writable database in WAL mode is fenced: while this process holds BEGIN IMMEDIATE, every reader begins its own
transaction, so all see the same state; then the fence is released and the application goes on writing. Anything else,
and a database whose writer does not let go of the lock, is copied with SQLite's backup API, which keeps every page and
so every rowid (VACUUM INTO may renumber them).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from migrator.core.errors import SourceError
from migrator.source.connection import connect, require_space, source_errors

LOCK_WAIT_MS = 5_000  # for a fence; whoever holds the lock longer may hold it for hours, and a copy needs no lock


@dataclass(frozen=True)
class SnapshotMethod:
    """How readers are given one state: `fenced` on the live file, or on the copy at `path`."""

    path: Path
    fenced: bool
    original: Path

    @property
    def name(self) -> str:
        """For people: where the rows are read."""
        return "live" if self.fenced else "copied"

    @property
    def wal_bytes(self) -> int:
        """Size of the write-ahead log, which grows while readers are pinned and the application writes."""
        wal = self.original.with_name(self.original.name + "-wal")
        return wal.stat().st_size if self.fenced and wal.exists() else 0


def choose_snapshot(path: Path, scratch: Path) -> SnapshotMethod:
    """Fence where that works; otherwise copy into `scratch`. Raises SourceError."""
    return SnapshotMethod(path, True, path) if _can_fence(path) else _backup(path, scratch)


def _can_fence(path: Path) -> bool:
    """Whether the lock can be had, found out by taking it and giving it back."""
    with contextlib.suppress(SourceError, apsw.Error):
        connection = connect(path, writable=True)
        try:
            # BEGIN IMMEDIATE on a read-only connection succeeds and fences nothing, so ask before relying on it.
            if connection.pragma("journal_mode") != "wal" or connection.readonly("main"):
                return False
            connection.set_busy_timeout(LOCK_WAIT_MS)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return True
        finally:
            connection.close()
    return False


@contextlib.contextmanager
def fence(method: SnapshotMethod) -> Iterator[None]:
    """No other process can commit while the block runs: pin the readers in it."""
    if not method.fenced:
        yield
        return
    connection = connect(method.path, writable=True)
    try:
        with source_errors(method.path):
            connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        with contextlib.suppress(apsw.Error):
            connection.execute("ROLLBACK")
        connection.close()


def pin(connection: apsw.Connection) -> None:
    """Begin a read transaction that sees the present state until `unpin`.

    The SELECT has to touch the file: SELECT 1 alone starts nothing.
    """
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_schema").fetchall()


def unpin(connection: apsw.Connection) -> None:
    connection.execute("ROLLBACK")


def _backup(path: Path, scratch: Path) -> SnapshotMethod:
    require_space(scratch, path.stat().st_size)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / ("snapshot-" + path.name)
    copy.unlink(missing_ok=True)
    with source_errors(path):
        source = connect(path)
        target = apsw.Connection(str(copy))
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step()  # all pages in one step: a writer waits for it instead of restarting the copy
        target.close()
        source.close()
    return SnapshotMethod(copy, False, path)
