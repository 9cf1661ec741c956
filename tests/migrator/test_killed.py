"""kill -9 at every named step of a run, and once more during the next attempt: afterwards the target is exact.

The command runs in a fork of this process, in which one step of the run kills its process before or behind its work.
Workers are processes of their own, which end when their parent does.
"""

from __future__ import annotations

import fcntl
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from migrator.core.errors import Failure
from migrator.target.journal import Journal, Unit, read_runs

from .killing import STEPS, run_killed
from .moving import make_source
from .terminal import Answer, migrator

SOURCE = """
PRAGMA journal_mode = WAL;
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO rooms VALUES (1, 'kitchen'), (2, 'hall');
CREATE TABLE lamps (id INTEGER PRIMARY KEY, room INTEGER REFERENCES rooms, name TEXT);
INSERT INTO lamps SELECT value, value % 2 + 1, 'lamp ' || value FROM json_each('[1,2,3,4,5,6,7,8]');
CREATE INDEX lamps_by_name ON lamps (name);
CREATE TABLE readings (at TEXT, value REAL, lamp INTEGER REFERENCES lamps);
INSERT INTO readings SELECT '2026-01-0' || value, value * 0.1, value FROM json_each('[1,2,3,4,5]');
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO settings VALUES ('a', '1'), ('b', NULL);
CREATE VIEW bright AS SELECT name FROM lamps WHERE id > 4;
CREATE TRIGGER noted AFTER INSERT ON rooms BEGIN INSERT INTO settings VALUES ('room ' || new.id, new.name); END;
"""
ROWS = {"rooms": 2, "lamps": 8, "readings": 5, "settings": 2}

PLACED = {"renamed", "outcome written", "journal gone"}
STANDS = {"before the journal", "journal made, not committed", "while an index is built", "an index built"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "home.db", SOURCE)


def command(source: Path, database: str) -> tuple[str | Path, ...]:
    return ("run", source, database, "--run-dir", source.parent / "runs", "--workers", "1")


def assert_exact(source: Path, database: str, last: Answer) -> None:
    assert last.code == 0, last.all
    verified = migrator("verify", source, database, "--run-dir", source.parent / "runs")
    assert verified.code == 0, verified.all
    with psycopg.connect(database) as connection:
        for table, rows in ROWS.items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)
        connection.execute("INSERT INTO rooms VALUES (9, 'attic')")
        assert connection.execute("SELECT value FROM settings WHERE key = 'room 9'").fetchall() == [("attic",)]
        connection.rollback()
        ours = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator%'").fetchall()
        assert ours == []
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'migrator %'"
        assert connection.execute(sessions).fetchone() == (0,)


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_goes_on(step: str, source: Path, database: str) -> None:
    assert run_killed(step, *command(source, database)) == signal.SIGKILL
    again = migrator(*command(source, database))
    assert_exact(source, database, again)
    assert ("had arrived" in again.out) == (step in PLACED)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in PLACED | STANDS])
def test_an_attempt_that_is_killed_as_well_goes_on_too(step: str, source: Path, database: str) -> None:
    """The first attempt had come to its proof, so the second finds everything there and dies at that step."""
    assert run_killed("before the proof", *command(source, database)) == signal.SIGKILL
    assert run_killed(step, *command(source, database)) == signal.SIGKILL
    assert_exact(source, database, migrator(*command(source, database)))


def test_what_the_source_has_changed_since_is_loaded_again(source: Path, database: str) -> None:
    """One table has other values, one has grown, one has shrunk, one is as it was."""
    assert run_killed("all copied", *command(source, database)) == signal.SIGKILL
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("UPDATE rooms SET name = 'cellar' WHERE id = 2")
        db.execute("INSERT INTO lamps VALUES (100, 1, 'new')")
        db.execute("DELETE FROM readings WHERE lamp = 5")
    again = migrator(*command(source, database))
    assert again.code == 0, again.all
    assert migrator("verify", source, database, "--run-dir", source.parent / "runs").code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT name FROM rooms WHERE id = 2").fetchone() == ("cellar",)
        assert connection.execute("SELECT count(*) FROM lamps").fetchone() == (9,)
        assert connection.execute("SELECT count(*) FROM readings").fetchone() == (4,)


def test_what_stands_is_not_copied_again(source: Path, database: str) -> None:
    """Rows of a unit that stands are the very same: their tuples' transaction is that of the first attempt."""
    assert run_killed("before the proof", *command(source, database)) == signal.SIGKILL
    with psycopg.connect(database) as connection:
        [(staging,)] = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator_staging%'")
        before = connection.execute(f'SELECT xmin::text, id FROM "{staging}".lamps ORDER BY id').fetchall()
    assert migrator(*command(source, database)).code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT xmin::text, id FROM lamps ORDER BY id").fetchall() == before


def test_status_tells_what_stands_and_how_to_discard_it(source: Path, database: str) -> None:
    assert "no unfinished run" in migrator("status", database).out
    assert run_killed("third table copied", *command(source, database)) == signal.SIGKILL
    shown = migrator("status", database)
    assert ": interrupted" in shown.out
    assert "to go on: run the same command again" in shown.out
    [run] = json.loads(migrator("status", database, "--json").out)["runs"]
    assert (run["state"], run["source"], run["schema"]) == ("interrupted", str(source), "public")
    assert run["phase"] == "copy"
    assert run["rows"] + run["left"] == sum(ROWS.values())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(run["discard"])
    assert "no unfinished run" in migrator("status", database).out
    assert_exact(source, database, migrator(*command(source, database)))


def test_status_of_a_file_says_what_it_needs(source: Path) -> None:
    answer = migrator("status", source)
    assert answer.code == 2
    assert "TARGET is a file" in answer.err
    assert "postgresql://host/database" in answer.err


def test_a_run_that_goes_on_is_left_alone(source: Path, database: str) -> None:
    """Its folder is locked by the process that is at work."""
    assert run_killed("third table copied", *command(source, database)) == signal.SIGKILL
    [folder] = (source.parent / "runs").iterdir()
    with (folder / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        again = migrator(*command(source, database))
    assert again.code == 1
    assert "Another process is at work in it" in again.err
    assert_exact(source, database, migrator(*command(source, database)))


def test_after_an_edit_of_the_plan_the_same_command_takes_it_from_there(source: Path, database: str) -> None:
    """A value that does not fit stops nothing: the table whose line was edited is made anew, the others stand."""
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("INSERT INTO lamps VALUES (9, 7, 'of no room')")
    plan = source.with_name("plan.toml")
    assert migrator("plan", source, "-o", plan).code in (0, 7)
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace('"fail"', '"not-valid"') if '"fail"' in text else text, encoding="utf-8")
    planned = (*command(source, database), "--plan", plan)
    assert run_killed("all copied", *planned) == signal.SIGKILL
    with psycopg.connect(database) as connection:
        [(staging,)] = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator_staging%'")
        before = connection.execute(f'SELECT xmin::text FROM "{staging}".settings').fetchall()
    changed = plan.read_text(encoding="utf-8").replace(
        'name = {type = "text"', 'name = {type = "text", target = "title"', 1
    )
    plan.write_text(changed, encoding="utf-8")
    assert migrator(*planned).code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT xmin::text FROM settings").fetchall() == before
        titled = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'title'"
        assert connection.execute(titled).fetchone() == (1,)


def test_a_worker_of_an_earlier_attempt_can_write_no_unit_any_more(source: Path, database: str) -> None:
    """It may still be at work when its parent was killed, and the next attempt has the same range to copy."""
    assert run_killed("all copied", *command(source, database)) == signal.SIGKILL
    with psycopg.connect(database, autocommit=True) as connection:
        [record] = read_runs(connection)
        late = Journal(record.run_id, record.attempt)
        now = late.take_over(connection)
        unit = Unit("rooms", 1, 2, 2, 0, False, b"digest")
        with pytest.raises(Failure, match="Another process goes on"), connection.transaction():
            late.add_unit(connection, unit, (), ())
        now.add_unit(connection, unit, (), ())


def test_a_run_that_goes_on_at_another_computer_is_left_alone(source: Path, database: str) -> None:
    assert run_killed("all copied", *command(source, database)) == signal.SIGKILL
    with psycopg.connect(database, autocommit=True) as connection:
        [record] = read_runs(connection)
        connection.execute(f"UPDATE \"{Journal(record.run_id).schema}\".run SET host = 'elsewhere'")
        with psycopg.connect(database, application_name=f"migrator {record.run_id}"):
            again = migrator(*command(source, database))
    assert again.code == 1
    assert "on the computer elsewhere" in " ".join(again.err.split())
    assert_exact(source, database, migrator(*command(source, database)))
