"""A run carries one state of a database that somebody else owns: he goes on writing, and his file keeps its bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator.core.errors import SourceError
from migrator.source import connection, snapshot

from .application import LEDGER, crash, holding, writing
from .moving import make_source, move, move_all, plan_text
from .oracle import assert_same_rows, open_source, open_target
from .terminal import left_behind, migrator


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return make_source(tmp_path / "ledger.db", f"PRAGMA journal_mode = WAL; {LEDGER}")


def newest(path: Path) -> int:
    """The number of the last transaction that the application committed."""
    with open_source(path) as db:
        return int(db.execute("SELECT max(number) FROM log").fetchone()[0])


# -- the application goes on writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_one_state_while_the_application_writes(journal_mode: str, tmp_path: Path, each_database: str) -> None:
    path = make_source(tmp_path / "ledger.db", f"PRAGMA journal_mode = {journal_mode}; {LEDGER}")
    plan = plan_text(path)
    outcome: dict[str, Any] = {}
    with writing(path, outcome):
        moved = move(path, each_database, plan=plan, workers=2)
    assert outcome["locked_out"] == 0
    assert moved.result.proof.holds
    with open_target(each_database) as target:
        number = assert_one_state(target)
    assert 1 < number < newest(path) == outcome["transactions"], "it wrote before the snapshot, and after it"


def assert_one_state(target: psycopg.Connection) -> int:
    """Every transaction kept both sums equal and left a log without gaps. Returns the transaction's number."""
    assert one(target, "SELECT (SELECT sum(amount) FROM debit) = (SELECT sum(amount) FROM credit)")
    assert one(
        target, "SELECT (SELECT array_agg(id ORDER BY id) FROM debit) = (SELECT array_agg(id ORDER BY id) FROM credit)"
    )
    number = one(target, "SELECT max(number) FROM log")
    assert one(target, "SELECT count(*) FROM log") == number
    assert one(target, "SELECT max(id) FROM debit") == 20000 + number
    return int(number)


def one(target: psycopg.Connection, query: str) -> Any:
    row = target.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


def test_verify_says_that_the_source_has_moved_on(ledger: Path, database: str) -> None:
    moved = move_all(ledger, database)
    with holding(
        ledger, "INSERT INTO debit VALUES (900001, 5, 'later')", "UPDATE credit SET note = 'other' WHERE id = 7"
    ):
        verified = moved.verify()
    assert verified.changed == ("debit had 20,000 rows during the run and has 20,001 now",)
    assert {(item.table, *item.key.values(), item.column) for item in verified.proof.differences} == {
        ("debit", 900001, None),
        ("credit", 7, "note"),
    }


# -- transactions that are open ----------------------------------------------------------------------------------------


def test_reader_with_an_open_transaction(ledger: Path, database: str) -> None:
    with holding(ledger, "BEGIN", "SELECT count(*) FROM debit"):
        move_all(ledger, database)


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_uncommitted_rows_are_not_carried(
    journal_mode: str, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not let go of the lock is not waited for: a copy needs none, and holds what is committed."""
    path = make_source(tmp_path / "ledger.db", f"PRAGMA journal_mode = {journal_mode}; {LEDGER}")
    monkeypatch.setattr(snapshot, "LOCK_WAIT_MS", 200)
    with holding(path, "BEGIN IMMEDIATE", "INSERT INTO debit VALUES (900001, 5, 'uncommitted')") as application:
        assert move_all(path, database).result.snapshot == "copied"
        application.execute("COMMIT")
    with open_target(database) as target:
        assert one(target, "SELECT count(*) FROM debit") == 20000
    with open_source(path) as db:
        assert db.execute("SELECT count(*) FROM debit").fetchone() == (20001,), "the application was not disturbed"


def test_copy_holds_what_is_in_the_log_only(ledger: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LOCK_WAIT_MS", 200)
    with holding(
        ledger,
        "PRAGMA wal_autocheckpoint = 0",
        "UPDATE debit SET note = 'in the log' WHERE id <= 100",
        "BEGIN IMMEDIATE",
        "UPDATE debit SET note = 'uncommitted' WHERE id <= 200",
    ):
        assert move_all(ledger, database, workers=2).result.snapshot == "copied"
    with open_target(database) as target:
        assert one(target, "SELECT count(*) FROM debit WHERE note = 'in the log'") == 100
        assert one(target, "SELECT count(*) FROM debit WHERE note = 'uncommitted'") == 0


def test_lock_that_is_let_go_in_time_is_waited_for(ledger: Path, database: str) -> None:
    with holding(ledger, "BEGIN IMMEDIATE", "INSERT INTO debit VALUES (900001, 5, 'new')") as application:
        committing = threading.Timer(2, application.execute, ["COMMIT"])
        committing.start()
        moved = move_all(ledger, database, plan=plan_text(ledger))
        committing.join()
    assert moved.result.snapshot == "live"


def test_lock_that_is_taken_between_the_trial_and_the_fence(
    ledger: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application gets the usual time, and then the run says for whom it waited."""
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_MS", 200)
    monkeypatch.setattr(snapshot, "_can_fence", lambda path: True)
    with holding(ledger, "BEGIN IMMEDIATE"), pytest.raises(SourceError, match="is locked"):
        move(ledger, database)
    assert left_behind(database) == []


# -- files beside the database, and folders that cannot be written -----------------------------------------------------


def test_log_that_was_not_checkpointed(ledger: Path, database: str) -> None:
    """The application died: its last transactions are in the -wal alone."""
    crash(ledger, "PRAGMA wal_autocheckpoint = 0", "UPDATE debit SET note = 'in the log' WHERE id <= 100")
    assert ledger.with_name("ledger.db-wal").stat().st_size > 0
    move_all(ledger, database)
    with open_target(database) as target:
        assert one(target, "SELECT count(*) FROM debit WHERE note = 'in the log'") == 100


def test_neither_log_nor_index_beside_it(ledger: Path, database: str) -> None:
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.db"]
    move_all(ledger, database)
    with open_source(ledger) as db, open_target(database) as target:
        assert assert_same_rows(db, target, "debit") == 20000


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("crashed", [True, False])
def test_read_only_folder(journal_mode: str, crashed: bool, tmp_path: Path, database: str) -> None:
    """A -wal without its -shm cannot be opened there, and must not be ignored either."""
    folder = tmp_path / "data"
    folder.mkdir()
    path = make_source(folder / "ledger.db", f"PRAGMA journal_mode = {journal_mode}; {LEDGER}")
    if crashed:
        crash(path, "PRAGMA wal_autocheckpoint = 0", "UPDATE debit SET note = 'new' WHERE id <= 100")
        (folder / "ledger.db-shm").unlink(missing_ok=True)
    with read_only(folder):
        before = fingerprints(folder)
        move_all(path, database, runs=tmp_path / "runs")
        assert fingerprints(folder) == before
    with open_target(database) as target:
        assert one(target, "SELECT count(*) FROM debit WHERE note = 'new'") == (100 if crashed else 0)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Permissions do not stop root, a mount does."""
    if os.getuid() != 0:
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    bind = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
    if bind.returncode:
        pytest.skip("root cannot mount here, so no folder is read-only for it")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_log_that_changes_while_it_is_copied(ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Database and log of different moments do not belong together."""
    crash(ledger, "PRAGMA wal_autocheckpoint = 0", "UPDATE debit SET note = 'new'")
    copy = shutil.copyfile

    def copy_and_write(source: Path, target: Path) -> None:
        copy(source, target)
        with ledger.with_name("ledger.db-wal").open("ab") as log:
            log.write(b"more")

    monkeypatch.setattr(shutil, "copyfile", copy_and_write)
    with pytest.raises(SourceError, match="changed while it was copied"):
        connection.copy_aside(ledger, tmp_path / "scratch")


# -- nothing of the source is changed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["WAL", "WAL with a log", "WAL in use", "DELETE"])
def test_no_verb_changes_a_byte(state: str, tmp_path: Path, database: str) -> None:
    path = make_source(tmp_path / "ledger.db", f"PRAGMA journal_mode = {state.split(maxsplit=1)[0]}; {LEDGER}")
    if state == "WAL with a log":
        crash(path, "PRAGMA wal_autocheckpoint = 0", "UPDATE debit SET note = 'new'")
    if state == "WAL in use":
        with holding(path, "PRAGMA wal_autocheckpoint = 0", "UPDATE debit SET note = 'new'"):
            every_verb(path, database)
    else:
        every_verb(path, database)


def every_verb(path: Path, database: str) -> None:
    before = fingerprints(path.parent)
    runs = path.parent / "runs"
    for arguments in (
        ["inspect", path],
        ["plan", path],
        ["schema", path],
        ["run", path, database, "--dry-run", "--run-dir", runs],
        ["run", path, database, "--run-dir", runs],
        ["verify", path, database, "--run-dir", runs],
    ):
        assert migrator(*arguments, "--workers", "1").code == 0
        assert fingerprints(path.parent) == before, arguments[0]


def fingerprints(folder: Path) -> dict[str, str]:
    """The database and what its next reader needs: a log or journal with something in it."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name.endswith((".db", "-wal", "-journal")) and path.stat().st_size
    }
