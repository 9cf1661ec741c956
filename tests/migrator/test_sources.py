"""Files that cannot be migrated: refused with what, why and what next, exit code 4, and nothing in the target."""

from __future__ import annotations

import os
import random
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from migrator.source import connection

from .application import crash, holding
from .moving import make_source, move_all
from .oracle import assert_same_rows, open_source, open_target
from .terminal import Answer, left_behind, migrator, migrator_as_nobody, open_folder

PAGES = """
PRAGMA page_size = 4096;
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO notes SELECT i, hex(zeroblob(100)) || i FROM n;
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Some hundred pages of one table."""
    return make_source(tmp_path / "notes.db", PAGES)


def assert_refused(path: Path, database: str, *words: str) -> None:
    """inspect, plan, schema and run all say the same, and say it to a program too."""
    for verb in ("inspect", "plan", "schema"):
        assert_error(migrator(verb, path, "--workers", "1"), *words)
    assert_error(migrator("run", path, database, "--run-dir", path.parent / "runs", "--workers", "1"), *words)
    assert left_behind(database) == []
    assert not (path.parent / "runs").exists()


def assert_error(answer: Answer, *words: str) -> None:
    """What, why and next stand on stderr; stdout stays empty."""
    assert answer.code == 4, answer.err
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    for word in ("next:", *words):
        assert word in " ".join(answer.err.split())


def test_missing(tmp_path: Path, database: str) -> None:
    assert_refused(tmp_path / "no.db", database, "no.db does not exist")


def test_a_directory(tmp_path: Path, database: str) -> None:
    assert_refused(tmp_path, database, "is not a file")


def test_empty(tmp_path: Path, database: str) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    assert_refused(path, database, "is empty (0 bytes)", "why:")


def test_text(tmp_path: Path, database: str) -> None:
    path = tmp_path / "dump.sql"
    path.write_text("BEGIN TRANSACTION;\nCREATE TABLE t (a);\nCOMMIT;\n" * 400)
    assert_refused(path, database, "is not an SQLite database", "why:")


def test_picture(tmp_path: Path, database: str) -> None:
    path = tmp_path / "photo.db"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + zlib.compress(random.Random(1).randbytes(40_000)))
    assert_refused(path, database, "is not an SQLite database", "why:")


def test_encrypted(tmp_path: Path, database: str) -> None:
    """SQLCipher leaves nothing but random bytes, page by page."""
    path = tmp_path / "secret.db"
    path.write_bytes(random.Random(2).randbytes(4096 * 20))
    assert_refused(path, database, "looks encrypted", "why:")


def test_only_a_header(tmp_path: Path, database: str) -> None:
    path = tmp_path / "header.db"
    path.write_bytes(connection.MAGIC)
    assert_refused(path, database, "why:")


def test_truncated(notes: Path, database: str) -> None:
    os.truncate(notes, notes.stat().st_size // 2)
    assert_refused(notes, database, "is damaged", "why:", ".recover")


def test_corrupted_page(notes: Path, database: str) -> None:
    """The schema is intact, so the damage is only found by reading every row."""
    with notes.open("r+b") as file:
        file.seek(notes.stat().st_size // 2 // 4096 * 4096)
        page = file.read(4096)
        file.seek(-4096, os.SEEK_CUR)
        file.write(bytes(byte ^ 0xFF for byte in page))
    assert_refused(notes, database, "is damaged", "why:", ".recover")


def test_corrupted_schema(notes: Path, database: str) -> None:
    with notes.open("r+b") as file:
        raw = bytearray(file.read(4096))
        start = raw.index(b"CREATE TABLE")
        raw[start : start + 12] = b"CRAETE TABEL"
        file.seek(0)
        file.write(raw)
    assert_refused(notes, database, "is damaged", "why:")


def test_write_ahead_log_of_something_else(notes: Path, database: str) -> None:
    """SQLite ignores such a file, and with it every transaction that was in the one it replaced."""
    with closing(sqlite3.connect(notes)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    notes.with_name("notes.db-wal").write_bytes(random.Random(3).randbytes(32 + 4120 * 5))
    assert_refused(notes, database, "write-ahead log", "why:")


def test_torn_write_ahead_log(notes: Path, database: str) -> None:
    """A power cut in the middle of a commit: the transactions before it count, as they do for the application."""
    crash(notes, "PRAGMA journal_mode = WAL", "INSERT INTO notes VALUES (9001, 'first')", "UPDATE notes SET body = 'x'")
    log = notes.with_name("notes.db-wal")
    with log.open("r+b") as file:
        file.seek(-2000, os.SEEK_END)
        file.write(b"torn" * 100)
    move_all(notes, database)
    with open_source(notes) as db, open_target(database) as target:
        assert assert_same_rows(db, target, "notes") == 3001
        assert target.execute("SELECT body FROM notes WHERE id = 9001").fetchone() == ("first",)
        assert target.execute("SELECT count(*) FROM notes WHERE body = 'x'").fetchone() == (0,)


def test_transaction_that_a_crash_interrupted(notes: Path, database: str) -> None:
    """Half of the transaction is in the file, and only the journal beside it can take it back."""
    crash(notes, "PRAGMA cache_size = 1", "BEGIN", "UPDATE notes SET body = 'half'")
    assert notes.with_name("notes.db-journal").stat().st_size > 0
    before = notes.read_bytes()
    move_all(notes, database)
    assert notes.read_bytes() == before
    with open_target(database) as target:
        assert target.execute("SELECT count(*), min(length(body)) FROM notes").fetchone() == (3000, 201)


def test_locked(notes: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_MS", 100)
    with holding(notes, "BEGIN EXCLUSIVE"):
        assert_refused(notes, database, "is locked", "why:")


def test_no_permission(database: str) -> None:
    with open_folder() as folder:
        path = make_source(folder / "private.db", "CREATE TABLE t (a)")
        path.chmod(0)
        assert_error(migrator_as_nobody("inspect", path), "cannot be opened", "Permission denied")
        folder.chmod(0o700)
        assert_error(
            migrator_as_nobody("run", path, database, "--run-dir", "/tmp"), "cannot be opened", "Permission denied"
        )
        folder.chmod(0o755)
    assert left_behind(database) == []


def test_error_as_json(tmp_path: Path) -> None:
    answer = migrator("inspect", tmp_path / "no.db", "--json")
    assert answer.code == 4
    assert '"kind": "error"' in answer.out
    assert answer.err.startswith("error: ")
