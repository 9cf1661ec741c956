"""Databases of real applications arrive whole: so says the migrator's own proof, and so does plain SQL."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import tomlkit

from migrator.core.errors import DecisionNeeded

from .databases import MERGE, NAMES, build, md5
from .moving import Moved, edited, move, move_all, plan_text
from .oracle import assert_same_rows, columns_of, open_source, open_target, tables_of

RECORDER = Path(__file__).parents[1] / "fixtures" / "recorder-2026.11" / "home-assistant_v2.db"
# What is not carried is said: a product of a NUMERIC column is an integer in one row and a real in another.
NOT_CARRIED = {"shop_order_totals": "Not carried: arithmetic whose type depends on the row."}


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """The database of a real Home Assistant, on a copy, because SQLite makes files beside the one it reads."""
    return Path(shutil.copy(RECORDER, tmp_path))


@pytest.mark.parametrize("style", ["faithful", "idiomatic"])
@pytest.mark.parametrize("name", NAMES)
def test_application(name: str, style: str, each_database: str, tmp_path: Path) -> None:
    moved = move_all(build(name, tmp_path), each_database, style=style, workers=2)
    assert_whole(moved)


@pytest.mark.parametrize("style", ["faithful", "idiomatic"])
def test_recorder_without_its_profile(recorder: Path, style: str, each_database: str) -> None:
    """One of its states holds a NUL, so a person decides; everything else arrives as it is."""
    with pytest.raises(DecisionNeeded, match=r"states\.state"):
        move(recorder, each_database, style=style)
    plan = edited(plan_text(recorder, style), "states.state", policy="strip-nul")
    moved = move(recorder, each_database, style=style, plan=plan, workers=2)
    assert (moved.result.rejects, moved.result.healed) == (0, 1)
    assert [(line["table"], line["column"], line["policy"]) for line in moved.lines("healed.jsonl")] == [
        ("states", "state", "strip-nul")
    ]
    assert moved.differences() == []
    with open_source(recorder) as db, open_target(each_database) as connection:
        for table in tables_of(db):
            query = "SELECT * FROM states WHERE instr(state, char(0)) = 0 OR state IS NULL" if table == "states" else ""
            if table == "states":
                key = moved.lines("healed.jsonl")[0]["key"]["state_id"]
                ours = db.execute("SELECT state FROM states WHERE state_id = ?", (key,)).fetchone()[0]
                theirs = connection.execute("DELETE FROM states WHERE state_id = %s RETURNING state", (key,)).fetchone()
                assert theirs == (ours.replace("\0", ""),)
            assert_same_rows(db, connection, table, query)
            assert keys_of_target(connection, table.lower()) == keys_of_source(db, table), table
            assert references_of_target(connection, table.lower()) == references_of_source(db, table), table
            assert indexes_of_target(connection, table.lower()) == indexes_of_source(db, table), table


def assert_whole(moved: Moved) -> None:
    """Rows, keys, references, indexes and views, compared without the migrator's help."""
    with open_source(moved.source) as db, open_target(moved.database) as connection:
        counts = {table: assert_same_rows(db, connection, table) for table in tables_of(db)}
        assert moved.result.rows == sum(counts.values()) > 0
        for table in tables_of(db):
            assert keys_of_target(connection, table.lower()) == keys_of_source(db, table), table
            assert references_of_target(connection, table.lower()) == references_of_source(db, table), table
            assert indexes_of_target(connection, table.lower()) == indexes_of_source(db, table), table
        for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            if view in NOT_CARRIED:
                assert columns_of(connection, view.lower()) == {}
                assert (view, NOT_CARRIED[view]) in {(item.where, item.message) for item in moved.result.findings}
            else:
                assert_same_view(db, connection, view)


def keys_of_source(db: sqlite3.Connection, table: str) -> list[str]:
    keys = [(place, name.lower()) for _, name, _, _, _, place in db.execute(f'PRAGMA table_info("{table}")') if place]
    return [name for _, name in sorted(keys)]


def keys_of_target(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT a.attname FROM pg_constraint k CROSS JOIN unnest(k.conkey) WITH ORDINALITY u(number, place)"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number"
        " WHERE k.contype = 'p' AND k.conrelid = quote_ident(%s)::regclass ORDER BY u.place",
        (table,),
    )
    return [name for (name,) in rows]


def references_of_source(db: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    """(parent, action on delete) of every foreign key."""
    found = {row[0]: (row[2].lower(), row[6]) for row in db.execute(f'PRAGMA foreign_key_list("{table}")')}
    return sorted(found.values())


def references_of_target(connection: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    """Only those in force: a key that is NOT VALID has not been proven."""
    actions = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
    rows = connection.execute(
        "SELECT p.relname, k.confdeltype::text FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid"
        " WHERE k.contype = 'f' AND k.convalidated AND k.conrelid = quote_ident(%s)::regclass",
        (table,),
    )
    return sorted((parent, actions[action]) for parent, action in rows)


def indexes_of_source(db: sqlite3.Connection, table: str) -> list[bool]:
    """Whether unique, for each index that is not the primary key."""
    return sorted(bool(row[2]) for row in db.execute(f'PRAGMA index_list("{table}")') if row[3] != "pk")


def indexes_of_target(connection: psycopg.Connection, table: str) -> list[bool]:
    rows = connection.execute(
        "SELECT indisunique FROM pg_index"
        " WHERE indrelid = quote_ident(%s)::regclass AND NOT indisprimary AND indisvalid",
        (table,),
    )
    return sorted(unique for (unique,) in rows)


def assert_same_view(db: sqlite3.Connection, connection: psycopg.Connection, view: str) -> None:
    """Where every column has the same kind of value on both sides, its results are the same; floats to nine digits."""
    theirs_types = columns_of(connection, view.lower())
    assert theirs_types, f"the view {view} was not carried"
    cursor = db.execute(f'SELECT * FROM "{view}"')
    names = [name.lower() for name, *_ in cursor.description]
    plain = [n for n, name in enumerate(names) if theirs_types[name] in PLAIN_TYPES]
    ours = sorted(_rounded([row[n] for n in plain]) for row in cursor)
    theirs = sorted(_rounded([row[n] for n in plain]) for row in connection.execute(f'SELECT * FROM "{view.lower()}"'))  # type: ignore[call-overload]
    assert plain
    assert ours == theirs


PLAIN_TYPES = {"smallint", "integer", "bigint", "numeric", "double precision", "text", "character varying", "boolean"}


def _rounded(row: list[object]) -> tuple[str, ...]:
    return tuple(
        f"{float(value):.8e}" if isinstance(value, int | float | Decimal) and math.isfinite(value) else repr(value)
        for value in row
    )


# -- seventeen tables become twelve ------------------------------------------------------------------------------------


def merge_plan(source: Path, style: str) -> str:
    """What a person does: plan, write the queries into the file, refresh."""
    edited = tomlkit.parse(plan_text(source, style))
    tables = edited["tables"]
    for name, table in tomlkit.parse(MERGE.read_text(encoding="utf-8"))["tables"].items():  # type: ignore[union-attr]
        for covered in table.get("covers", []):
            tables.pop(covered, None)  # type: ignore[union-attr, call-arg]
        tables[name] = table  # type: ignore[index]
    return plan_text(source, style, tomlkit.dumps(edited))


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    return build("catscan_legacy", tmp_path)


@pytest.fixture
def legacy_db(legacy: Path) -> Iterator[sqlite3.Connection]:
    with open_source(legacy) as db:
        db.create_function("md5", 1, md5, deterministic=True)
        yield db


@pytest.mark.parametrize("style", ["faithful", "idiomatic"])
def test_merge(style: str, legacy: Path, each_database: str) -> None:
    plan = merge_plan(legacy, style)
    moved = move_all(legacy, each_database, style=style, plan=plan)
    queries = {name: table["source"] for name, table in tomlkit.parse(plan)["tables"].items() if "source" in table}  # type: ignore[union-attr]
    with open_source(legacy) as db, open_target(each_database) as connection:
        db.create_function("md5", 1, md5, deterministic=True)
        for name, query in queries.items():
            assert assert_same_rows(db, connection, name, query) > 0
        assert_same_rows(db, connection, "thumbnail_status")
        present = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        assert {name for (name,) in present} == {*queries, "thumbnail_status"}
        for covered in moved.result.covered:
            covers = tomlkit.parse(plan)["tables"][covered.query]["covers"]  # type: ignore[index]
            counted = {table: db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in covers}  # type: ignore[union-attr]
            assert covered.rows_in == counted
            assert covered.shortfall == covered.accepted
        assert {covered.query for covered in moved.result.covered} == set(queries)


def test_merged_campaigns_say_where_they_came_from(legacy: Path, legacy_db: sqlite3.Connection, database: str) -> None:
    move_all(legacy, database, plan=merge_plan(legacy, "faithful"))
    by_hand = legacy_db.execute("SELECT count(*) FROM clusters").fetchone()
    by_machine = legacy_db.execute("SELECT count(*) FROM ai_campaigns").fetchone()
    with open_target(database) as connection:
        counts = "SELECT count(*) FROM campaigns WHERE is_ai_generated::int = %s"
        assert connection.execute(counts, (0,)).fetchone() == by_hand
        assert connection.execute(counts, (1,)).fetchone() == by_machine
        nobody = "SELECT count(*) FROM campaigns WHERE is_ai_generated::int = 0 AND ai_confidence IS NOT NULL"
        assert connection.execute(nobody).fetchone() == (0,)


def test_merge_that_loses_rows_silently_is_refused(legacy: Path, database: str) -> None:
    """The 125 reports that were uploaded twice are dropped only because the plan says so."""
    plan = merge_plan(legacy, "faithful").replace("accept_rows_dropped = 125", "accept_rows_dropped = 124")
    with pytest.raises(DecisionNeeded, match="accept_rows_dropped = 125"):
        move(legacy, database, plan=plan)
    with open_target(database) as connection:
        assert connection.execute("SELECT to_regclass('public.campaigns')").fetchone() == (None,)
    accepted = merge_plan(legacy, "faithful")
    assert move(legacy, database, plan=accepted).result.placed == "public"
