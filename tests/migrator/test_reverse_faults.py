"""The way back, and what can stand in its way: the file is as it was, or new and complete."""

from __future__ import annotations

import fcntl
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator.source.new_file import NewFile
from migrator.tasks.bring_back import BringBack

from . import servers
from .application import crash, holding
from .moving import Moved, make_source, move
from .returned import (
    SHOP,
    assert_same_files,
    bring_back,
    execute,
    rows_of,
    tables,
)
from .terminal import Answer, finish, migrator, migrator_as_nobody, open_folder, start


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Moved:
    return move(make_source(tmp_path / "shop.db", SHOP), database)


# -- what can stand in the way -----------------------------------------------------------------------------------------


def assert_untouched(folder: Path, *files: str) -> None:
    """Nothing is left of a file that was being made, nor a run folder."""
    assert sorted(path.name for path in folder.iterdir() if path.name != "runs") == sorted(files)


def test_a_file_that_exists_is_not_replaced_by_accident(shop: Moved, tmp_path: Path) -> None:
    before = shop.source.read_bytes()
    answer = bring_back(shop.database, shop.source)
    assert answer.code == 4, answer.all
    assert "--replace" in answer.err
    answer = bring_back(shop.database, shop.source, "--replace")
    assert answer.code == 7, answer.all
    assert shop.source.read_bytes() == before
    assert_untouched(tmp_path, "shop.db")


def test_a_file_that_is_replaced_is_kept(shop: Moved, tmp_path: Path) -> None:
    """With what its log holds."""
    execute(shop.database, "UPDATE customers SET name = 'Grace' WHERE id = 1")
    crash(shop.source, "PRAGMA journal_mode = WAL", "UPDATE customers SET name = 'Late' WHERE id = 1")
    assert (tmp_path / "shop.db-wal").stat().st_size > 0
    answer = bring_back(shop.database, shop.source, "--replace", "--yes", "--json")
    assert answer.code == 0, answer.all
    kept = Path(json.loads(answer.out)["kept"])
    names = "SELECT name FROM customers WHERE id = 1"
    with closing(sqlite3.connect(kept)) as old, closing(sqlite3.connect(shop.source)) as new:
        assert (old.execute(names).fetchone(), new.execute(names).fetchone()) == (("Late",), ("Grace",))
    assert_untouched(tmp_path, "shop.db", kept.name)


@pytest.mark.parametrize(
    "statements",
    [("PRAGMA journal_mode = WAL", "SELECT count(*) FROM customers"), ("BEGIN IMMEDIATE",)],
    ids=["idle in WAL mode", "writing"],
)
def test_a_file_in_use_is_not_replaced(statements: tuple[str, ...], shop: Moved) -> None:
    with holding(shop.source, *statements):
        answer = bring_back(shop.database, shop.source, "--replace", "--yes")
    assert answer.code == 4, answer.all
    assert "is in use" in answer.err
    with closing(sqlite3.connect(shop.source)) as db:
        assert db.execute("SELECT count(*) FROM customers").fetchone() == (2,)


def test_what_is_no_database_is_not_replaced(shop: Moved, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all, " * 100)
    answer = bring_back(shop.database, tmp_path / "letter.txt", "--replace", "--yes")
    assert answer.code == 4, answer.all
    assert (tmp_path / "letter.txt").read_text() == "Dear all, " * 100
    (tmp_path / "gone.db-wal").write_bytes(b"x")
    answer = bring_back(shop.database, tmp_path / "gone.db")
    assert answer.code == 4, answer.all
    answer = bring_back(shop.database, tmp_path / "nowhere" / "app.db", "--run-dir", tmp_path / "runs")
    assert (answer.code, "mkdir -p" in answer.err) == (4, True)
    assert "is a folder" in bring_back(shop.database, tmp_path, "--run-dir", tmp_path / "runs").err
    (tmp_path / "empty.db").touch()
    answer = bring_back(shop.database, tmp_path / "empty.db", "--replace", "--yes")
    assert answer.code == 0, answer.all


def test_a_folder_that_cannot_be_written(embedded_server: servers.Server, database: str) -> None:
    execute(database, "CREATE TABLE t (x integer)", "GRANT SELECT ON t TO PUBLIC")
    with open_folder() as folder:
        (folder / "closed").mkdir(mode=0o555)
        (folder / "runs").mkdir()
        (folder / "runs").chmod(0o777)
        # Nobody may not read the modules either; so they are all there before.
        assert migrator("run", database, folder / "open.db", "--run-dir", folder / "runs").code == 0
        answer = migrator_as_nobody("run", database, folder / "closed" / "app.db", "--run-dir", folder / "runs")
    assert answer.code == 4, answer.all
    assert "cannot be written" in answer.err


def test_a_disk_that_is_full(database: str, tmp_path: Path) -> None:
    """The largest file that this process may write stands for the disk."""
    execute(database, "CREATE TABLE t AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 5000)")
    limited = f"ulimit -f 1000; exec {sys.executable} -m migrator run '{database}' again.db --run-dir runs"
    finished = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {limited}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode in (1, 4), finished.stderr
    assert "again.db cannot be" in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert_untouched(tmp_path)


def test_the_server_ends_in_the_middle(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(database, "CREATE TABLE a (x integer PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 5000)")
    insert = NewFile.insert

    def insert_once(file: NewFile, *arguments: Any) -> None:
        insert(file, *arguments)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'migrator %'"
            )

    monkeypatch.setattr(NewFile, "insert", insert_once)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 5, answer.all
    assert "refused reading its tables" in " ".join(answer.err.split())
    assert_untouched(tmp_path)


def signalled(number: signal.Signals, database: str, folder: Path) -> Answer:
    """The answer of a way back that got that signal when it had written a part of the file."""
    execute(database, "CREATE TABLE t AS SELECT x, repeat('x', 500) AS y FROM generate_series(1, 400000) x")
    process = start("run", database, folder / "again.db", "--run-dir", folder / "runs")
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 100_000 for path in folder.glob("again.db.migrator-*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    return finish(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: signal.Signals, database: str, tmp_path: Path) -> None:
    answer = signalled(number, database, tmp_path)
    assert answer.code == 130, answer.all
    assert_untouched(tmp_path)


def test_what_a_killed_one_has_left_goes_with_the_next(database: str, tmp_path: Path) -> None:
    assert signalled(signal.SIGKILL, database, tmp_path).code == -signal.SIGKILL
    [left] = tmp_path.glob("again.db.migrator-*")
    execute(database, "DELETE FROM t WHERE x > 10")
    beside = tmp_path / "again.db.migrator-in-use"
    beside.touch()
    with left.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a process that is still at work does
        assert bring_back(database, tmp_path / "again.db").code == 0
        assert left.exists()
    assert bring_back(database, tmp_path / "again.db", "--replace", "--yes").code == 0
    assert not left.exists()
    assert beside.exists()


def test_rows_that_are_hidden_are_not_left_out(database: str, tmp_path: Path) -> None:
    """Row security would leave rows out without a word."""
    execute(
        database,
        "CREATE TABLE t (x integer)", "INSERT INTO t VALUES (1), (2)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY one ON t USING (x = 1)", "CREATE ROLE reader LOGIN", "GRANT SELECT ON t TO reader",
    )  # fmt: skip
    try:
        answer = bring_back(database.replace("postgres@", "reader@"), tmp_path / "again.db")
        assert answer.code == 5, answer.all
        assert "row-level security" in " ".join(answer.err.split())
    finally:
        execute(database, "DROP OWNED BY reader", "DROP ROLE reader")


def test_one_moment_is_carried(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written while the tables are read is not in the file, nor taken for a difference."""
    execute(database, "CREATE TABLE a (x integer PRIMARY KEY)", "CREATE TABLE b (x integer PRIMARY KEY)",
            "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")  # fmt: skip
    run = BringBack.run

    def write_and_run(work: BringBack) -> Any:
        execute(database, "INSERT INTO a SELECT max(x) + 1 FROM a", "INSERT INTO b SELECT max(x) + 1 FROM b")
        return run(work)

    monkeypatch.setattr(BringBack, "run", write_and_run)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert [rows_of(tmp_path / "again.db", table) for table in "ab"] == [Counter([(1,)]), Counter([(1,)])]


def test_a_value_that_was_changed_is_found(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(database, "CREATE TABLE t (x integer PRIMARY KEY, y text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    close = NewFile.close

    def spoil(file: NewFile) -> None:
        file.connection.execute("UPDATE t SET y = x WHERE x = 2")
        close(file)

    monkeypatch.setattr(NewFile, "close", spoil)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 3, answer.all
    assert "(2, 'b')" in answer.err
    assert_untouched(tmp_path)


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--style", "idiomatic"], "--style is for the way"),
        (["--zone", "UTC"], "--zone is for the way"),
        (["--profile", "none"], "--profile is for the way"),
        (["--plan", "plan.toml"], "--plan is for the way"),
        (["--into-existing"], "--into-existing is for the way"),
        (["--schema", "public", "--run", "x"], "--schema and --run contradict"),
        (["--run", "x"], "x is not the folder of a finished run"),
    ],
)
def test_options_of_the_other_way_are_refused(options: list[str], said: str, database: str, tmp_path: Path) -> None:
    answer = bring_back(database, tmp_path / "again.db", *options)
    assert answer.code == 2, answer.all
    assert said in " ".join(answer.err.split())
    assert_untouched(tmp_path)


def test_two_databases_or_none(database: str, tmp_path: Path) -> None:
    for arguments, said in (
        ((database, database), "both databases of a server"),
        ((database,), "TARGET is missing"),
        (("env:NO_SUCH_VARIABLE", tmp_path / "x.db"), "NO_SUCH_VARIABLE is not set"),
        (("postgresql://u:secret@host/db", tmp_path / "x.db"), "SOURCE contains a password"),
        ((tmp_path / "x.db", database, "--run", "x"), "--run is for the way back"),
    ):
        answer = migrator("run", *arguments, "--run-dir", tmp_path / "runs")
        assert answer.code == 2, answer.all
        assert said in " ".join(answer.err.split())
        assert "secret" not in answer.all


def test_a_dry_run_makes_nothing(shop: Moved, tmp_path: Path) -> None:
    before = sorted(path.name for path in (tmp_path / "runs").iterdir())
    answer = bring_back(shop.database, tmp_path / "again.db", "--dry-run")
    assert answer.code == 0, answer.all
    assert "4 × table" in answer.out
    assert_untouched(tmp_path, "shop.db")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == before


def test_the_run_is_found_by_its_database(shop: Moved, tmp_path: Path) -> None:
    """Of several files that went into one database, the one that is named like the new file; else somebody chooses."""
    other = make_source(tmp_path / "other.db", "CREATE TABLE other (x TEXT); INSERT INTO other VALUES ('1')")
    move(other, shop.database, into_existing=True)
    answer = bring_back(shop.database, tmp_path / "again.db")
    assert answer.code == 7, answer.all
    assert "--run" in answer.err
    (tmp_path / "new").mkdir()
    answer = bring_back(shop.database, tmp_path / "new" / "other.db", "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all
    assert tables(tmp_path / "new" / "other.db") == ["other"]


def test_a_run_of_before_that_wrote_no_schema(shop: Moved, tmp_path: Path) -> None:
    """The file that it was made of says it, as long as it is what it was."""
    (shop.folder.path / "original.json").unlink()
    answer = bring_back(shop.database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert_same_files(shop.source, tmp_path / "again.db")
    with closing(sqlite3.connect(shop.source)) as db:
        db.execute("CREATE TABLE new (x)")
    assert bring_back(shop.database, tmp_path / "more.db").code == 2
    shop.source.unlink()
    assert bring_back(shop.database, tmp_path / "more.db").code == 2


def test_through_the_environment(shop: Moved, tmp_path: Path) -> None:
    again = tmp_path / "again.db"
    answer = migrator(
        "run", "env:DATABASE_URL", again, "--run-dir", tmp_path / "runs", env={"DATABASE_URL": shop.database}
    )
    assert answer.code == 0, answer.all
    assert_same_files(shop.source, again)


def test_tables_of_others_need_not_be_readable(shop: Moved, tmp_path: Path) -> None:
    execute(
        shop.database,
        "CREATE TABLE secret (x integer)", "CREATE ROLE app LOGIN",
        "GRANT SELECT ON customers, orders, codes, firm TO app",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO app",
    )  # fmt: skip
    try:
        run = ("--run", shop.folder.path)
        answer = bring_back(shop.database.replace("postgres@", "app@"), tmp_path / "again.db", *run)
        assert answer.code == 0, answer.all
        assert_same_files(shop.source, tmp_path / "again.db")
    finally:
        execute(shop.database, "DROP OWNED BY app", "DROP ROLE app")
