"""After rejects and an edit of the plan, or of the source, the same command takes it from there.

The tables of the earlier run give way only while they hold what it has placed and nothing else.
"""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from migrator.core.errors import TargetError
from migrator.steps.earlier import Occupied, give_way
from migrator.target.connection import resolve_target

from .killing import run_killed
from .moving import make_source
from .terminal import Answer, left_behind, migrator, open_folder
from .test_recorder_profile import FIXTURE

SOURCE = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO rooms VALUES (1, 'kitchen'), (2, 'hall');
CREATE TABLE readings (id INTEGER PRIMARY KEY, value REAL, room INTEGER REFERENCES rooms);
INSERT INTO readings VALUES (1, 1.5, 1), (2, 'about two', 2), (3, 3.5, 1);
CREATE VIEW warm AS SELECT room, value FROM readings WHERE value > 2;
"""


@dataclass(frozen=True)
class Left:
    """A run with --plan that has placed its tables without one row."""

    source: Path
    plan: Path
    runs: Path
    database: str

    @property
    def command(self) -> tuple[str | Path, ...]:
        return ("run", self.source, self.database, "--plan", self.plan, "--run-dir", self.runs)

    def mend(self) -> None:
        text = self.plan.read_text(encoding="utf-8")
        text, edits = re.subn(r"(?m)^(value = {.*?)(, policy = \"[a-z-]+\")?}", r'\1, policy = "widen"}', text)
        assert edits == 1
        self.plan.write_text(text, encoding="utf-8")

    def values(self) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute("SELECT id, value FROM readings ORDER BY id").fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(statement)


@pytest.fixture
def left(tmp_path: Path, database: str) -> Left:
    source = make_source(tmp_path / "home.db", SOURCE)
    item = Left(source, tmp_path / "plan.toml", tmp_path / "runs", database)
    assert migrator("plan", source, "-o", item.plan).code == 7
    assert migrator(*item.command).code == 3
    assert item.values() == [(1, 1.5), (3, 3.5)]
    return item


def assert_left(answer: Answer, *parts: str) -> None:
    assert answer.code == 5, answer.all
    for part in (*parts, "--replace"):
        assert part in " ".join(answer.err.split())


def test_the_same_command_carries_all(left: Left) -> None:
    left.mend()
    answer = migrator(*left.command)
    assert answer.code == 0, answer.all
    assert left.values() == [(1, "1.5"), (2, "about two"), (3, "3.5")]
    assert "had arrived" in migrator(*left.command).out
    assert migrator("verify", left.source, left.database, "--run-dir", left.runs).code == 0


def test_rows_that_are_mended_in_the_source_are_carried_too(left: Left) -> None:
    with closing(sqlite3.connect(left.source)) as db, db:
        db.execute("UPDATE readings SET value = 2.5 WHERE id = 2")
    answer = migrator(*left.command)
    assert answer.code == 0, answer.all
    assert left.values() == [(1, 1.5), (2, 2.5), (3, 3.5)]


def test_without_an_edit_there_is_nothing_to_do(left: Left) -> None:
    answer = migrator(*left.command)
    assert answer.code == 3
    assert "had arrived" in answer.out
    assert left.values() == [(1, 1.5), (3, 3.5)]


@pytest.mark.parametrize(
    "changed",
    [
        "INSERT INTO rooms VALUES (3, 'cellar')",
        "UPDATE readings SET value = 9 WHERE id = 1",
        "UPDATE readings SET value = value",
        "DELETE FROM readings WHERE id = 3",
        "ALTER TABLE rooms ALTER COLUMN name DROP NOT NULL",
        "ALTER TABLE rooms ADD COLUMN note text",
        "ALTER TABLE rooms ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE rooms ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE rooms ADD CHECK (id > 0)",
        "CREATE INDEX mine ON readings (value)",
        "CREATE POLICY mine ON rooms USING (true)",
        "CREATE RULE mine AS ON DELETE TO rooms DO INSTEAD NOTHING",
        "GRANT SELECT ON rooms TO public",
        "COMMENT ON COLUMN rooms.name IS 'mine'",
        "CREATE OR REPLACE VIEW warm AS SELECT room, value + 1 AS value FROM readings",
        "ALTER SEQUENCE rooms_id_seq RESTART 1000",
        "SELECT setval('rooms_id_seq', 500)",
        "CREATE TABLE more () INHERITS (rooms)",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER mine BEFORE INSERT ON rooms FOR EACH ROW EXECUTE FUNCTION f()",
    ],
)
def test_tables_that_somebody_has_changed_do_not_give_way(left: Left, changed: str) -> None:
    left.execute(changed)
    before = left.values()
    left.mend()
    answer = migrator(*left.command)
    assert_left(answer, "" if "more" in changed else "changed since")
    assert left.values() == before


def test_they_are_replaced_where_that_is_asked_for(left: Left) -> None:
    left.execute(
        "DELETE FROM readings; DROP VIEW warm"
    )  # the plan that is mended has no view, and --replace none of it
    left.mend()
    assert migrator(*left.command).code == 5
    assert migrator(*left.command, "--replace", "--yes").code == 0
    assert len(left.values()) == 3


@pytest.mark.parametrize("change", ["DELETE FROM readings WHERE id = 2", "INSERT INTO rooms VALUES (3, 'cellar')"])
def test_the_source_may_change_meanwhile(left: Left, change: str) -> None:
    """Rows that do not fit are deleted there, or the application goes on."""
    with closing(sqlite3.connect(left.source)) as db, db:
        db.execute(change)
    left.mend()
    answer = migrator(*left.command)
    assert answer.code == 0, answer.all
    with psycopg.connect(left.database) as connection:
        assert connection.execute("SELECT count(*) FROM rooms").fetchone() == (3 if "INSERT" in change else 2,)
    assert len(left.values()) == (2 if "DELETE" in change else 3)


def test_other_tables_beside_them_are_in_the_way_as_before(left: Left) -> None:
    left.execute("CREATE TABLE notes (id int)")
    left.mend()
    assert_left(migrator(*left.command), "table notes")


def test_a_table_that_the_plan_drops_now_goes(left: Left) -> None:
    text = left.plan.read_text(encoding="utf-8")
    text = text.replace('target = "rooms"\n', 'target = "rooms"\ndrop = true\n')
    left.plan.write_text(text, encoding="utf-8")
    left.mend()
    answer = migrator(*left.command)
    assert answer.code == 0, answer.all
    assert {name for name, kind in left_behind(left.database) if kind == "r"} == {"readings"}


def test_what_is_written_while_the_new_tables_are_built_is_not_lost(left: Left) -> None:
    """The tables are looked at once more when nobody can write into them any longer."""
    target = resolve_target(left.database)
    earlier = give_way(Occupied("in the way"), left.source, target, left.runs)
    with psycopg.connect(left.database) as connection:
        earlier.check(connection)
        for written in (
            "UPDATE rooms SET name = name WHERE id = 1",
            "INSERT INTO rooms VALUES (9, 'attic')",
            "DELETE FROM readings WHERE id = 1",
            "DROP TABLE readings CASCADE",
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(written)
                with pytest.raises(TargetError, match="Somebody has changed"):
                    earlier.check(connection)
        earlier.check(connection)


def test_the_embedded_server_is_known_again() -> None:
    """Its socket lies in another place each time."""
    with open_folder() as folder:
        source, plan = make_source(folder / "home.db", SOURCE), folder / "plan.toml"
        command = ("run", source, "--plan", plan, "--run-dir", folder / "runs")
        assert migrator("plan", source, "-o", plan).code == 7
        assert migrator(*command).code == 3
        assert "had arrived" in migrator(*command).out
        Left(source, plan, folder / "runs", "").mend()
        assert migrator(*command).code == 0
        again = migrator(*command)
        assert (again.code, "had arrived" in again.out) == (0, True)


def test_tables_of_home_assistant_give_way_too(tmp_path: Path, database: str) -> None:
    """Whether they hold rows that must not be lost is asked of them as of any others."""
    source = Path(shutil.copy(FIXTURE / "home-assistant_v2.db", tmp_path / "home-assistant_v2.db"))
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("UPDATE states SET state = CAST(x'41ff42' AS TEXT) WHERE state_id = 7")
    left = Left(source, tmp_path / "plan.toml", tmp_path / "runs", database)
    assert migrator("plan", source, "-o", left.plan).code == 7
    assert migrator(*left.command).code == 3
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("UPDATE states SET state = 'on' WHERE state_id = 7")
    answer = migrator(*left.command)
    assert answer.code == 0, answer.all
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT state FROM states WHERE state_id = 7").fetchone() == ("on",)
        connection.execute("INSERT INTO event_types (event_type) VALUES ('new')")
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("UPDATE states SET state = 'off' WHERE state_id = 7")
    assert_left(migrator(*left.command), "already hold data")


@pytest.mark.parametrize("step", ["all copied", "before the proof", "renamed"])
def test_a_run_that_is_killed_meanwhile_goes_on(left: Left, step: str) -> None:
    left.mend()
    command = (*left.command, "--workers", "1")
    assert run_killed(step, *command) == signal.SIGKILL
    if step != "renamed":
        assert left.values() == [(1, 1.5), (3, 3.5)]
    answer = migrator(*command)
    assert answer.code == 0, answer.all
    assert left.values() == [(1, "1.5"), (2, "about two"), (3, "3.5")]
