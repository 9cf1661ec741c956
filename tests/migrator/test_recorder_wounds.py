"""Wounded recorder databases: what cannot be carried as it is needs a decision, or is healed in SQLite first."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from migrator.core.errors import MigratorError, SourceError
from migrator.core.shapes import portable

from .test_recorder_profile import FIXTURE, ROWS, bookkeeping, make_tables, migrate, planned, shapes, shipped

Edit = Callable[[str], None]


@pytest.fixture
def wounded(tmp_path: Path) -> Path:
    """A copy of the recorder database that Home Assistant 2026.11.0 wrote."""
    return Path(shutil.copy(FIXTURE / "home-assistant_v2.db", tmp_path / "home-assistant_v2.db"))


@pytest.fixture
def edit(wounded: Path) -> Edit:
    def run_script(script: str) -> None:
        with closing(sqlite3.connect(wounded, isolation_level=None)) as db:
            db.execute("PRAGMA foreign_keys = off")
            db.executescript(script)

    return run_script


def rebuilt(table: str, *changes: tuple[str, str]) -> str:
    """A script that makes the table anew, with those changes of its declaration; its indexes are gone."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript((FIXTURE / "sqlite.sql").read_text(encoding="utf-8"))
        [(declaration,)] = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    for old, new in changes:
        assert old in declaration
        declaration = declaration.replace(old, new, 1)
    return f"""PRAGMA legacy_alter_table = on; ALTER TABLE {table} RENAME TO former; {declaration};
        INSERT INTO {table} SELECT * FROM former; DROP TABLE former;"""


def command(error: MigratorError) -> str:
    """The SQL of the command that was advised."""
    advice = re.fullmatch(r'.*run: sqlite3 SOURCE "([^"]+)"', error.next_step)
    assert advice, error.next_step
    return advice[1]


KEYLESS = rebuilt("statistics", ("id INTEGER NOT NULL", "id INTEGER"), ("PRIMARY KEY (id), \n\t", ""))
ONE_BY_ONE = "CREATE UNIQUE INDEX ix_statistics_statistic_id_start_ts ON statistics (metadata_id, start_ts);"


@pytest.mark.parametrize(
    ("wound", "said", "rows"),
    [
        (f"{KEYLESS} {ONE_BY_ONE} UPDATE statistics SET id = NULL WHERE id IN (5, 6)",
         "statistics has 2 rows without id; statistics has no unique index over id", ROWS),
        (f"{KEYLESS} {ONE_BY_ONE} UPDATE statistics SET id = NULL", "statistics has 256 rows without id", ROWS),
        (f"{KEYLESS} {ONE_BY_ONE} UPDATE statistics SET id = 7 WHERE id < 7", "no unique index over id", ROWS),
        ("DROP INDEX ix_statistics_statistic_id_start_ts; INSERT INTO statistics (metadata_id, start_ts, sum) "
         "SELECT metadata_id, start_ts, -1 FROM statistics WHERE id < 4",
         "statistics has no unique index over metadata_id, start_ts", ROWS),
        ("DROP INDEX ix_statistics_statistic_id_start_ts; UPDATE statistics SET start_ts = NULL WHERE id < 9",
         "statistics has no unique index over metadata_id, start_ts", ROWS),
        ("DROP INDEX ix_states_meta_entity_id; UPDATE states_meta SET entity_id = 'sun.sun' WHERE metadata_id < 4",
         "states_meta has no unique index over entity_id", ROWS),
        ("DROP INDEX ix_statistics_meta_statistic_id", "statistics_meta has no unique index over statistic_id", ROWS),
    ],
    ids=["no ids", "no id at all", "an id seven times", "statistics twice", "statistics without a time",
         "an entity four times", "an index was dropped"],
)  # fmt: skip
def test_keys_are_healed_in_sqlite_first(
    wounded: Path, database: str, edit: Edit, wound: str, said: str, rows: int
) -> None:
    """Refused before anything is copied; what is advised heals it, and only a statistic that is there twice goes."""
    edit(wound)
    with pytest.raises(SourceError, match=said) as caught:
        migrate(wounded, database)
    assert shapes(database) == {}
    edit(command(caught.value))
    assert migrate(wounded, database).result.rows == rows
    assert {name: portable(shape) for name, shape in shapes(database).items()} == shipped()


def test_of_repeated_statistics_the_newest_stays(wounded: Path, edit: Edit) -> None:
    """As Home Assistant keeps it; of a name that is there twice the older gets another, and keeps its history."""
    edit("""
        DROP INDEX ix_statistics_statistic_id_start_ts; DROP INDEX ix_states_meta_entity_id;
        INSERT INTO statistics (metadata_id, start_ts, sum)
            SELECT metadata_id, start_ts, -1 FROM statistics WHERE id = 4;
        INSERT INTO states_meta (entity_id) SELECT entity_id FROM states_meta WHERE metadata_id = 4""")
    with pytest.raises(SourceError) as caught:
        planned(wounded)
    edit(command(caught.value))
    with closing(sqlite3.connect(wounded)) as db:
        assert db.execute("SELECT count(*) FROM statistics WHERE id = 4").fetchone() == (0,)
        assert db.execute("SELECT sum FROM statistics ORDER BY id DESC LIMIT 1").fetchone() == (-1,)
        names = db.execute("SELECT entity_id FROM states_meta WHERE metadata_id IN (4, (SELECT max(metadata_id) FROM"
                           " states_meta)) ORDER BY metadata_id").fetchall()  # fmt: skip
    assert names[0] == (f"{names[1][0]}_4",)


def test_a_unique_index_of_the_user_is_no_key_of_home_assistant(wounded: Path, database: str) -> None:
    make_tables(database, "CREATE UNIQUE INDEX of_the_user ON states (last_updated_ts, state_id)", bookkeeping())
    assert migrate(wounded, database).result.rows == ROWS


def test_null_where_home_assistant_has_none_needs_a_decision(wounded: Path, edit: Edit) -> None:
    edit(
        rebuilt("statistics_meta", ("mean_type SMALLINT NOT NULL", "mean_type SMALLINT"))
        + "CREATE UNIQUE INDEX ix_statistics_meta_statistic_id ON statistics_meta (statistic_id);"
        "UPDATE statistics_meta SET mean_type = NULL WHERE id < 3"
    )
    [decision] = planned(wounded).decisions
    assert (decision.rule, decision.where) == ("values-do-not-fit", "statistics_meta.mean_type")
    assert "NOT NULL, and 2 rows hold NULL" in decision.message


def test_text_that_is_not_valid_needs_a_decision(wounded: Path, database: str, edit: Edit) -> None:
    edit("UPDATE states SET state = CAST(x'41FF42' AS TEXT) WHERE state_id = 7")
    plan = planned(wounded)
    [decision] = plan.decisions
    assert decision.where == "states.state"
    assert "1 text is not valid in the database's encoding" in decision.message
    moved = migrate(wounded, database, plan=plan.text)
    assert [line["value_hex"] for line in moved.lines("rejects.jsonl")] == ["41ff42"]
