"""The way back: what came out of a SQLite file goes into one again, and is what it was, value by value.

Every folder of scenarios/ comes back too: see test_scenarios.py.
"""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from migrator.core.convert import Unfit
from migrator.core.keeping import keeper
from migrator.core.model import Affinity
from migrator.core.plan_file import from_toml
from migrator.steps.plan import read_schema_of

from . import servers
from .databases import NAMES, build
from .moving import Moved, edited, make_source, move, move_all, plan_text
from .returned import (
    SHOP,
    assert_same_files,
    bits,
    bring_back,
    execute,
    findings,
    rows_of,
    schema,
    settings,
    tables,
    wrong_values,
)
from .terminal import migrator
from .test_properties import as_stored, blobs, integers, reals, texts, values
from .test_seed_systems import RECORDER, merge_plan


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Moved:
    return move(make_source(tmp_path / "shop.db", SHOP), database)


# -- whole applications ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_application_comes_back(name: str, database: str, tmp_path: Path) -> None:
    source, again = build(name, tmp_path), tmp_path / "again.db"
    move_all(source, database, workers=2)
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert_same_files(source, again)


@pytest.mark.parametrize("name", NAMES)
def test_an_application_comes_back_from_postgresqls_own_types(name: str, database: str, tmp_path: Path) -> None:
    """jsonb and text[] keep what JSON means and not its bytes; every other column is what it was."""
    source, again = build(name, tmp_path), tmp_path / "again.db"
    moved = move_all(source, database, style="idiomatic", workers=2)
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert (schema(again), settings(again)) == (schema(source), settings(source))
    assert wrong_values(moved.folder, source, again) == []


# -- by the plan of a run ----------------------------------------------------------------------------------------------


def test_schema_sequences_and_settings_come_back(shop: Moved, tmp_path: Path) -> None:
    answer = bring_back(shop.database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert_same_files(shop.source, tmp_path / "again.db")
    with closing(sqlite3.connect(tmp_path / "again.db")) as db:
        assert db.execute("INSERT INTO customers (name) VALUES ('New') RETURNING id").fetchall() == [(51,)]


@pytest.mark.parametrize(
    "settings_of", ["PRAGMA encoding = 'UTF-16le'", "PRAGMA page_size = 8192", "PRAGMA auto_vacuum = 1"]
)
def test_a_file_with_settings_of_its_own(settings_of: str, database: str, tmp_path: Path) -> None:
    script = f"{settings_of}; CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('ä𝄞'), (char(65535)), ('\ufeffx');"
    script += "PRAGMA journal_mode = WAL; ANALYZE;"
    source = make_source(tmp_path / "source.db", script)
    move(source, database)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert_same_files(source, tmp_path / "again.db")


def test_what_was_written_in_postgresql_comes_back(shop: Moved, tmp_path: Path) -> None:
    execute(
        shop.database,
        "INSERT INTO customers (name, since, score, any_kind) VALUES ('Zoë', '2027-01-01 00:00:00', 'Infinity', 5)",
        "UPDATE customers SET balance = 12345.5, photo = '\\x01' WHERE id = 1",
        "DELETE FROM orders WHERE customer = 2",
        "INSERT INTO codes VALUES ('it', 1, 'uno')",
    )
    again = tmp_path / "again.db"
    answer = bring_back(shop.database, again)
    assert answer.code == 0, answer.all
    with closing(sqlite3.connect(again)) as db:
        new = db.execute("SELECT id, name, since, score, typeof(any_kind) FROM customers WHERE id > 50").fetchall()
        assert new == [(51, "Zoë", "2027-01-01 00:00:00", math.inf, "integer")]
        assert db.execute("SELECT balance, photo FROM customers WHERE id = 1").fetchall() == [(12345.5, b"\x01")]
        assert db.execute("SELECT count(*), max(doubled) FROM orders").fetchone() == (2, 19.0)
        assert db.execute("SELECT label FROM codes WHERE country = 'it'").fetchall() == [("uno",)]
        assert db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'customers'").fetchone() == (51,)


def test_what_the_file_cannot_hold_is_rejected(shop: Moved, tmp_path: Path) -> None:
    """Each by itself, with its reason; all other rows are there."""
    execute(
        shop.database,
        "DROP INDEX one_label",
        "INSERT INTO customers (id, name, score) VALUES (60, 'NaN', 'NaN'), (61, 'minus', '-0')",
        "INSERT INTO customers (id, name, since) VALUES (62, 'fraction', '2026-01-01 10:00:00.5')",
        "INSERT INTO customers (id, name, since) VALUES (63, 'never', 'infinity')",
        "INSERT INTO customers (id, name, balance) VALUES (64, 'digits', 0.12345678901234567890123)",
        "INSERT INTO codes VALUES ('at', 1, 'EINS')",
    )
    again = tmp_path / "again.db"
    answer = bring_back(shop.database, again, "--json")
    assert answer.code == 3, answer.all
    outcome = json.loads(answer.out)
    with (Path(outcome["folder"]) / "rejects.jsonl").open() as file:
        rejects = {(line["table"], line["column"]): line["reason"] for line in map(json.loads, file)}
    assert outcome["rejects"] == 6
    assert rejects.keys() == {
        ("customers", "score"), ("customers", "since"), ("customers", "balance"), ("codes", None),
    }  # fmt: skip
    assert "UNIQUE" in rejects["codes", None]
    with closing(sqlite3.connect(again)) as db:
        assert db.execute("SELECT id FROM customers ORDER BY 1").fetchall() == [(1,), (2,)]
        assert db.execute("SELECT country FROM codes ORDER BY 1").fetchall() == [("de",), ("fr",)]


def test_rows_that_break_a_rule_of_the_file_come_and_are_reported(shop: Moved, tmp_path: Path) -> None:
    execute(
        shop.database,
        "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey",
        "INSERT INTO orders VALUES (99, 'x', 1)",
    )
    answer = bring_back(shop.database, tmp_path / "again.db", "--json")
    assert answer.code == 0, answer.all
    said = [item["message"] for item in json.loads(answer.out)["findings"] if item["rule"] == "rule-broken"]
    assert said == ["orders: 1 of its rows name no row of customers."]


def test_columns_and_tables_that_came_since(shop: Moved, tmp_path: Path) -> None:
    execute(
        shop.database,
        "ALTER TABLE customers ADD COLUMN email text",
        "ALTER TABLE firm ADD COLUMN flag boolean DEFAULT true",
        "UPDATE customers SET email = 'a@example.org' WHERE id = 1",
        "CREATE TABLE later (x integer)",
    )
    again = tmp_path / "again.db"
    answer = bring_back(shop.database, again, "--json")
    assert answer.code == 0, answer.all
    assert {
        ("column-added", "customers.email"), ("column-added", "firm.flag"), ("table-not-of-the-run", "later"),
    } <= findings(answer)  # fmt: skip
    assert rows_of(again, "customers", "id, email") == Counter([(1, ("text", b"a@example.org")), (2, None)])
    assert rows_of(again, "firm", "flag") == Counter([(1,), (1,)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE customers ALTER score TYPE text", "is text now, and was double precision"),
        ("ALTER TABLE customers DROP COLUMN score", "is not there any more"),
        ("DROP TABLE codes", "no table public.codes"),
    ],
)
def test_tables_that_are_not_those_of_the_run(change: str, said: str, shop: Moved, tmp_path: Path) -> None:
    execute(shop.database, "DROP VIEW spent", change)
    answer = bring_back(shop.database, tmp_path / "again.db")
    assert answer.code == 5, answer.all
    shown = " ".join(answer.err.split())  # the lines are wrapped
    assert said in shown
    assert "--schema public" in shown
    assert bring_back(shop.database, tmp_path / "again.db", "--schema", "public").code == 0


def test_what_a_run_dropped_is_there_and_empty(database: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "shop.db", SHOP)
    text = edited(edited(plan_text(source), "customers.score", drop=True), "orders.at", drop=True)
    text = text.replace('target = "codes"', 'target = "codes"\ndrop = true')
    move(source, database, plan=text)
    again = tmp_path / "again.db"
    answer = bring_back(database, again, "--json")
    assert answer.code == 0, answer.all
    assert schema(again) == schema(source)
    assert {
        ("table-left-behind", "codes"), ("column-left-behind", "customers.score"), ("column-left-behind", "orders.at"),
    } <= findings(answer)  # fmt: skip
    assert rows_of(again, "orders", "at") == Counter({(None,): 3})
    assert rows_of(again, "codes") == Counter()


def test_what_a_run_dropped_and_must_not_be_empty(database: str, tmp_path: Path) -> None:
    source = make_source(
        tmp_path / "shop.db", "CREATE TABLE t (a INTEGER, b TEXT NOT NULL); INSERT INTO t VALUES (1, 'x')"
    )
    move(source, database, plan=edited(plan_text(source), "t.b", drop=True))
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 7, answer.all
    assert "t.b is NOT NULL" in answer.err


def test_merged_tables_come_back_as_they_are(database: str, tmp_path: Path) -> None:
    source = build("catscan_legacy", tmp_path)
    moved = move(source, database, plan=merge_plan(source, "faithful"))
    again = tmp_path / "again.db"
    answer = bring_back(database, again, "--json")
    assert answer.code == 0, answer.all
    assert ("merge", "campaigns") in findings(answer)
    with psycopg.connect(database) as connection, closing(sqlite3.connect(again)) as db:
        for table in from_toml(moved.folder.read_plan().read_text(), read_schema_of(source)).carried:
            theirs = connection.execute(f"SELECT count(*) FROM {table.target}").fetchone()  # type: ignore[arg-type]
            names = [name for name in tables(again) if name in (table.source, f"{table.source}_2")]
            assert theirs == db.execute(f"SELECT count(*) FROM {names[-1]}").fetchone()


def test_a_search_over_a_table_is_filled_again(database: str, tmp_path: Path) -> None:
    source = make_source(
        tmp_path / "notes.db",
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);"
        "CREATE VIRTUAL TABLE found USING fts5(body, content='notes', content_rowid='id');"
        "CREATE TRIGGER noted AFTER INSERT ON notes"
        " BEGIN INSERT INTO found(rowid, body) VALUES (new.id, new.body); END;"
        "INSERT INTO notes VALUES (1, 'a red house'), (2, 'a green door');",
    )
    move(source, database)
    again = tmp_path / "again.db"
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert (schema(again), settings(again)) == (schema(source), settings(source))
    with closing(sqlite3.connect(again)) as db:
        assert db.execute("SELECT rowid FROM found WHERE found MATCH 'green'").fetchall() == [(2,)]


def test_large_values(database: str, tmp_path: Path) -> None:
    """Larger than what a batch may hold."""
    source = make_source(
        tmp_path / "large.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, words TEXT, raw BLOB);"
        "CREATE TABLE k (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID;"
        "INSERT INTO t VALUES (1, replace(hex(zeroblob(6000000)), '00', 'ä'), NULL), (2, NULL, randomblob(20000000)),"
        " (3, '', x'');"
        "INSERT INTO k VALUES ('a', replace(hex(zeroblob(5000000)), '0', 'x')), ('b', 'y');",
    )
    move(source, database)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert_same_files(source, tmp_path / "again.db")


def test_a_run_in_two_halves_comes_back(database: str, tmp_path: Path) -> None:
    source, again = make_source(tmp_path / "shop.db", SHOP), tmp_path / "again.db"
    assert migrator("export", source, tmp_path / "halves").code == 0
    source_moved = source.rename(tmp_path / "elsewhere.db")
    loaded = migrator("load", tmp_path / "halves", database, "--run-dir", tmp_path / "runs")
    assert loaded.code == 0, loaded.all
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert_same_files(source_moved, again)


# -- Home Assistant's recorder -----------------------------------------------------------------------------------------


def test_the_recorder_comes_back_with_what_was_recorded_since(database: str, tmp_path: Path) -> None:
    """Its profile makes other tables than the plan alone; in SQLite they are Home Assistant's own again."""
    source = Path(shutil.copy(RECORDER, tmp_path / "home-assistant_v2.db"))
    there = migrator("run", source, database, "--run-dir", tmp_path / "runs")
    assert there.code == 0, there.all
    execute(
        database,
        "INSERT INTO states (state, last_updated_ts, metadata_id) VALUES ('on', 1900000000.25, 1)",
        "INSERT INTO states (state, last_updated_ts, old_state_id, metadata_id)"
        " SELECT 'off', 1900000001.5, max(state_id), 1 FROM states",
        "INSERT INTO statistics_meta (statistic_id, source, has_sum, mean_type)"
        " VALUES ('sensor.new', 'recorder', true, 0)",
    )
    again = tmp_path / "again.db"
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert schema(again) == schema(source)
    ours, theirs = settings(source), settings(again)
    assert {**ours, "sequences": None} == {**theirs, "sequences": None}
    for table in tables(source):
        gone, came = rows_of(source, table) - rows_of(again, table), rows_of(again, table) - rows_of(source, table)
        if table == "states":  # one holds a NUL, which the run left out
            assert (gone.total(), came.total()) == (1, 3)
        else:
            assert (gone.total(), came.total()) == (0, int(table == "statistics_meta")), table
    with closing(sqlite3.connect(again)) as db:
        values = "SELECT state, typeof(last_updated_ts), last_updated_ts, event_id FROM states"
        assert db.execute(f"{values} ORDER BY state_id DESC LIMIT 2").fetchall() == [
            ("off", "real", 1900000001.5, None),
            ("on", "real", 1900000000.25, None),
        ]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_recorder_of_a_newer_version_is_refused(database: str, tmp_path: Path) -> None:
    source = Path(shutil.copy(RECORDER, tmp_path / "home-assistant_v2.db"))
    assert migrator("run", source, database, "--run-dir", tmp_path / "runs").code == 0
    execute(database, "ALTER TABLE states ADD COLUMN novelty text")
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 5, answer.all
    assert "has got a column novelty" in " ".join(answer.err.split())


# -- every value -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("affinity", Affinity)
@given(value=values)
@settings_of_hypothesis(max_examples=300, database=None, deadline=None)
def test_what_is_let_into_a_column_stays_what_it_is(affinity: Affinity, value: Any) -> None:
    """SQLite itself is asked: whatever the check lets pass comes out as it went in."""
    try:
        keeper(affinity)(value)
    except Unfit:
        return
    assert bits(as_stored(value, affinity)) == bits(value)


COLUMNS = {
    "i INTEGER": integers, "r REAL": reals, "t TEXT": texts, "b BLOB": blobs, "n NUMERIC": st.one_of(integers, reals),
    "x": reals, "y": integers, "z": texts, "w NUMERIC": st.one_of(integers, reals, texts), "raw TEXT": texts,
    "d DATETIME": st.datetimes().map(str), "day DATE": st.dates().map(str),
    "flag BOOLEAN": st.sampled_from([0, 1]), "u UUID": st.uuids().map(str),
}  # fmt: skip
rows = st.lists(st.tuples(*[st.one_of(st.none(), column) for column in COLUMNS.values()]), min_size=20, max_size=60)


@pytest.mark.parametrize("style", ["faithful", "idiomatic"])
@given(rows=rows)
@settings_of_hypothesis(
    max_examples=6, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
def test_any_values_come_back(style: str, rows: list[tuple[Any, ...]], embedded_server: servers.Server) -> None:
    """What the run has carried; a row that does not fit is its reject."""
    with tempfile.TemporaryDirectory() as folder, servers.fresh_database(embedded_server) as database:
        source, again = Path(folder) / "source.db", Path(folder) / "again.db"
        with closing(sqlite3.connect(source, isolation_level=None)) as db:
            db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
            db.executemany(f"INSERT INTO t VALUES (NULL, {', '.join('?' * len(COLUMNS))})", rows)
        plan = edited(plan_text(source, style), "t.raw", policy="bytea")
        moved = move(source, database, plan=edited(plan, "t.w", policy="widen"))
        answer = bring_back(database, again)
        assert answer.code == 0, answer.all
        assert wrong_values(moved.folder, source, again) == []
