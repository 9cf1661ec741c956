"""Defects planted in a target after the run: verify finds each, and says which table, key and column."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from migrator.core.errors import Mismatch

from . import servers
from .application import holding
from .moving import Moved, make_source, move, move_all, plan_text
from .terminal import migrator

# The rows of pets, whose owner is 1 or 10, are in the view; changes of person 2 are not.
SCHEMA = """
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,
    score REAL,
    age INTEGER DEFAULT 18 CHECK (age >= 0),
    note TEXT,
    photo BLOB,
    balance NUMERIC(10, 2),
    active INTEGER NOT NULL DEFAULT 1,
    is_admin BOOLEAN,
    seen_at TEXT,
    tags TEXT
);
INSERT INTO people VALUES
    (1, 'a@example.org', 0.0, 30, '', x'00ff', 1.5, 1, 0, '2026-01-01 10:00:00', '["x","y"]'),
    (2, 'b@example.org', 1.5, 40, NULL, x'', 2, 0, 1, '2026-06-01 12:30:00', '[]'),
    (3, 'c@example.org', -1e308, NULL, 'ä€𝄞', NULL, -3.25, 1, NULL, '2026-12-31 23:59:59', '["ü"]');
DELETE FROM people WHERE id = 3;
INSERT INTO people VALUES (10, 'd@example.org', 3.25, 50, 'x', x'01', 0.5, 1, 1, '2026-03-01 00:00:00', '["z"]');
CREATE TABLE pets (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL REFERENCES people(id) ON DELETE CASCADE,
    name TEXT NOT NULL
);
INSERT INTO pets VALUES (1, 1, 'Rex'), (2, 1, 'Momo'), (3, 10, 'Kiki');
CREATE INDEX pets_by_name ON pets (name DESC);
CREATE UNIQUE INDEX one_name_each ON pets (owner, name) WHERE name <> 'Rex';
CREATE TABLE codes (country TEXT, code INTEGER, label TEXT, PRIMARY KEY (country, code)) WITHOUT ROWID;
INSERT INTO codes VALUES ('de', 1, 'eins'), ('de', 2, 'zwei'), ('fr', 1, 'un');
CREATE TABLE events (kind TEXT, weight REAL);
INSERT INTO events VALUES ('start', 1.0), ('start', 1.0), ('stop', 0.0), ('stop', NULL);
CREATE VIEW owners AS SELECT p.email, q.name FROM people p JOIN pets q ON q.owner = p.id;
"""

_copies = itertools.count(1)


@pytest.fixture(scope="module")
def faithful(embedded_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    with servers.fresh_database(embedded_server) as url:
        yield move_all(make_source(tmp_path_factory.mktemp("faithful") / "app.db", SCHEMA), url)


@pytest.fixture(scope="module")
def idiomatic(embedded_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    with servers.fresh_database(embedded_server) as url:
        source = make_source(tmp_path_factory.mktemp("idiomatic") / "app.db", SCHEMA)
        yield move_all(source, url, style="idiomatic")


@pytest.fixture
def moved(faithful: Moved, embedded_server: servers.Server) -> Iterator[Moved]:
    """The finished run, with a copy of its target to spoil."""
    yield from copied(faithful, embedded_server)


@pytest.fixture
def moved_idiomatically(idiomatic: Moved, embedded_server: servers.Server) -> Iterator[Moved]:
    yield from copied(idiomatic, embedded_server)


def copied(moved: Moved, server: servers.Server) -> Iterator[Moved]:
    original = sql.Identifier(conninfo.conninfo_to_dict(moved.database)["dbname"])
    name = f"spoilt_{next(_copies)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), original))
        try:
            yield replace(moved, database=server.url(name))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def spoil(moved: Moved, *statements: str) -> None:
    with psycopg.connect(moved.database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def found(moved: Moved) -> set[tuple[object, ...]]:
    """(table, values of the key, column) of every difference."""
    return {(item.table, *item.key.values(), item.column) for item in moved.verify().proof.differences}


def test_nothing_planted(moved: Moved) -> None:
    assert found(moved) == set()


# -- values ------------------------------------------------------------------------------------------------------------

VALUES = {
    "changed text": ("UPDATE people SET email = 'B@example.org' WHERE id = 2", {("people", 2, "email")}),
    "changed by one unit in the last place": (
        "UPDATE people SET score = 1.5000000000000002 WHERE id = 2",
        {("people", 2, "score")},
    ),
    "lost sign of zero": ("UPDATE people SET score = '-0' WHERE id = 1", {("people", 1, "score")}),
    "infinity": ("UPDATE people SET score = 'Infinity' WHERE id = 10", {("people", 10, "score")}),
    "NULL for the empty text": ("UPDATE people SET note = NULL WHERE id = 1", {("people", 1, "note")}),
    "the empty text for NULL": ("UPDATE people SET note = '' WHERE id = 2", {("people", 2, "note")}),
    "NULL for the empty blob": ("UPDATE people SET photo = NULL WHERE id = 2", {("people", 2, "photo")}),
    "a byte less": ("UPDATE people SET photo = '\\x00' WHERE id = 1", {("people", 1, "photo")}),
    "a space more": ("UPDATE people SET email = email || ' ' WHERE id = 2", {("people", 2, "email")}),
    "composed otherwise": (
        "UPDATE people SET note = normalize('a\u0308', NFC) WHERE id = 10",
        {("people", 10, "note")},
    ),
    "a cent": ("UPDATE people SET balance = balance + 0.01 WHERE id = 1", {("people", 1, "balance")}),
    "true for NULL": ("UPDATE people SET is_admin = NOT is_admin WHERE id = 2", {("people", 2, "is_admin")}),
    "a second": ("UPDATE people SET seen_at = '2026-01-01 10:00:01' WHERE id = 1", {("people", 1, "seen_at")}),
    "swapped between two rows": (
        "UPDATE people SET age = CASE id WHEN 1 THEN 40 ELSE 30 END WHERE id IN (1, 2)",
        {("people", 1, "age"), ("people", 2, "age")},
    ),
    "swapped between two columns": (
        "UPDATE people SET age = active, active = age WHERE id = 1",
        {("people", 1, "age"), ("people", 1, "active")},
    ),
    "in a composite key's row": (
        "UPDATE codes SET label = 'deux' WHERE country = 'fr'",
        {("codes", "fr", 1, "label")},
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str, moved: Moved) -> None:
    statement, expected = VALUES[name]
    spoil(moved, statement)
    assert found(moved) == expected


IDIOMATIC = {
    "shifted by the zone": (
        "UPDATE people SET seen_at = seen_at + interval '1 hour' WHERE id = 2",
        {("people", 2, "seen_at")},
    ),
    "a microsecond": (
        "UPDATE people SET seen_at = seen_at + interval '1 microsecond' WHERE id = 1",
        {("people", 1, "seen_at")},
    ),
    "an infinite time": ("UPDATE people SET seen_at = 'infinity' WHERE id = 1", {("people", 1, "seen_at")}),
    "an element of an array": ("UPDATE people SET tags = '{x,z}' WHERE id = 1", {("people", 1, "tags")}),
    "another order in an array": ("UPDATE people SET tags = '{y,x}' WHERE id = 1", {("people", 1, "tags")}),
    "NULL for the empty array": ("UPDATE people SET tags = NULL WHERE id = 2", {("people", 2, "tags")}),
    "the other boolean": ("UPDATE people SET is_admin = NOT is_admin WHERE id = 1", {("people", 1, "is_admin")}),
    "NULL for false": ("UPDATE people SET is_admin = NULL WHERE id = 1", {("people", 1, "is_admin")}),
}


@pytest.mark.parametrize("name", IDIOMATIC)
def test_converted_value(name: str, moved_idiomatically: Moved) -> None:
    statement, expected = IDIOMATIC[name]
    spoil(moved_idiomatically, statement)
    assert found(moved_idiomatically) == expected


# -- rows --------------------------------------------------------------------------------------------------------------

ROWS = {
    "missing": ("DELETE FROM pets WHERE id = 2", {("pets", 2, None)}),
    "missing at the end": ("DELETE FROM pets WHERE id = 3", {("pets", 3, None)}),
    "extra between": (
        "INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (5, 'e@example.org')",
        {("people", 5, None)},
    ),
    "with another key": (
        "UPDATE pets SET id = 9 WHERE id = 2",
        {("pets", 2, None), ("pets", 9, None), ("pets", "identity id")},
    ),
    "missing of a composite key": ("DELETE FROM codes WHERE code = 2", {("codes", "de", 2, None)}),
    "extra of a composite key": ("INSERT INTO codes VALUES ('it', 1, 'uno')", {("codes", "it", 1, None)}),
    "missing without a key": ("DELETE FROM events WHERE weight IS NULL", {("events", 4, None)}),
    "extra without a key": ("INSERT INTO events VALUES ('late', 2.0)", {("events", None)}),
    "duplicate without a key": ("INSERT INTO events VALUES ('start', 1.0)", {("events", None)}),
    "the sign of zero without a key": (
        "UPDATE events SET weight = '-0' WHERE weight = 0",
        {("events", 3, None), ("events", None)},
    ),
    "all": ("DELETE FROM codes", {("codes", "de", 1, None), ("codes", "de", 2, None), ("codes", "fr", 1, None)}),
}


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, moved: Moved) -> None:
    statement, expected = ROWS[name]
    spoil(moved, statement)
    assert {item for item in found(moved) if item[0] != "owners"} == expected


@pytest.mark.parametrize("key", [-5, 0, 99])
def test_row_outside_of_all_keys_of_the_source(key: int, moved: Moved) -> None:
    spoil(moved, f"INSERT INTO pets (id, owner, name) OVERRIDING SYSTEM VALUE VALUES ({key}, 2, 'Nobody')")
    assert ("pets", key, None) in found(moved)


def test_one_of_two_equal_rows(moved: Moved) -> None:
    spoil(moved, "DELETE FROM events WHERE ctid = (SELECT min(ctid) FROM events WHERE kind = 'start')")
    differences = moved.verify().proof.differences
    assert [(item.table, item.target) for item in differences] == [("events", "no such row")]


def test_rows_that_moved_to_another_table(moved: Moved) -> None:
    spoil(
        moved,
        "DELETE FROM codes",
        "INSERT INTO events SELECT label, code FROM pets JOIN (VALUES ('x', 1)) v(label, code) ON true",
    )
    assert {item.table for item in moved.verify().proof.differences} == {"codes", "events"}


# -- structure ---------------------------------------------------------------------------------------------------------

STRUCTURE = {
    "index": ("DROP INDEX pets_by_name", ("pets", "index pets_by_name")),
    "order of an index": (
        "DROP INDEX pets_by_name; CREATE INDEX pets_by_name ON pets (name)",
        ("pets", "index pets_by_name"),
    ),
    "predicate of an index": (
        "DROP INDEX one_name_each; CREATE UNIQUE INDEX one_name_each ON pets (owner, name)",
        ("pets", "index one_name_each"),
    ),
    "NOT NULL": ("ALTER TABLE people ALTER email DROP NOT NULL", ("people", "column email")),
    "default": ("ALTER TABLE people ALTER age DROP DEFAULT", ("people", "column age")),
    "another default": ("ALTER TABLE people ALTER age SET DEFAULT 21", ("people", "column age")),
    "identity": ("ALTER TABLE people ALTER id DROP IDENTITY", ("people", "column id")),
    "type": ("ALTER TABLE people ALTER age TYPE integer", ("people", "column age")),
    "collation": ('ALTER TABLE codes ALTER label TYPE text COLLATE "default"', ("codes", "column label")),
    "column": ("ALTER TABLE codes DROP label", ("codes", "column label")),
    "table": ("DROP TABLE codes", ("codes", "column label")),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_structure(name: str, moved: Moved) -> None:
    statement, (table, part) = STRUCTURE[name]
    spoil(moved, *statement.split(";"))
    answer = migrator(
        "verify", moved.source, moved.database, "--run", moved.folder.path, "--workers", "1", env={"COLUMNS": "200"}
    )
    assert answer.code == 3, answer.all
    assert f"differs {table}.{part} [" in answer.out


@pytest.mark.parametrize(("kind", "table"), [("p", "codes"), ("u", "people"), ("f", "pets"), ("c", "people")])
def test_constraint(kind: str, table: str, moved: Moved) -> None:
    """A UNIQUE of SQLite may be a constraint or an index in PostgreSQL: whichever it is, it is missed."""
    with psycopg.connect(moved.database, autocommit=True) as connection:
        query = "SELECT conname FROM pg_constraint WHERE contype = %s AND conrelid = %s::regclass"
        row = connection.execute(query, (kind, table)).fetchone()
        if row is None:
            query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
            row = connection.execute(query, (table,)).fetchone()
            assert row is not None
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(row[0])))
        else:
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(statement.format(sql.Identifier(table), sql.Identifier(row[0])))
    differences = moved.verify().proof.differences
    assert {item.table for item in differences} == {table}
    assert any(row[0] in str(item.column) for item in differences)


def test_foreign_key_that_is_not_in_force(moved: Moved) -> None:
    with psycopg.connect(moved.database, autocommit=True) as connection:
        row = connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'pets'::regclass"
        ).fetchone()
        assert row is not None
        name = sql.Identifier(row[0])
        connection.execute(sql.SQL("ALTER TABLE pets DROP CONSTRAINT {}").format(name))
        connection.execute(sql.SQL("ALTER TABLE pets ADD CONSTRAINT {} ").format(name) + sql.SQL(row[1] + " NOT VALID"))
    assert {item.table for item in moved.verify().proof.differences} == {"pets"}


def test_identity_that_would_give_out_an_id_again(moved: Moved) -> None:
    """3 was given out and deleted; AUTOINCREMENT promises that it is never given again."""
    spoil(moved, "SELECT setval(pg_get_serial_sequence('people', 'id'), 3, false)")
    assert found(moved) == {("people", "identity id")}


def test_identity_below_the_highest_id_that_was_deleted(embedded_server: servers.Server, tmp_path: Path) -> None:
    """AUTOINCREMENT remembers ids that are gone; max(id) alone would give them out again."""
    source = make_source(
        tmp_path / "app.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); INSERT INTO t VALUES (1, 'x'), (50, 'y');"
        " DELETE FROM t WHERE id = 50",
    )
    with servers.fresh_database(embedded_server) as url:
        moved = move_all(source, url)
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute("INSERT INTO t (a) VALUES ('z') RETURNING id").fetchone() == (51,)
            connection.execute("DELETE FROM t WHERE id = 51")
        spoil(moved, "SELECT setval(pg_get_serial_sequence('t', 'id'), 2, false)")
        assert found(moved) == {("t", "identity id")}


def test_view_with_another_result(moved: Moved) -> None:
    spoil(
        moved,
        "CREATE OR REPLACE VIEW owners AS"
        " SELECT p.email, upper(q.name) AS name FROM people p JOIN pets q ON q.owner = p.id",
    )
    assert found(moved) == {("owners", None)}


def test_view_that_is_missing(moved: Moved) -> None:
    spoil(moved, "DROP VIEW owners")
    assert found(moved) == {("owners", None)}


# -- the command -------------------------------------------------------------------------------------------------------


def test_exit_code_and_words(moved: Moved) -> None:
    spoil(moved, "UPDATE people SET age = 41 WHERE id = 2")
    answer = migrator("verify", moved.source, moved.database, "--run", moved.folder.path, env={"COLUMNS": "200"})
    assert answer.code == 3
    assert "people.age [id=2]: source 40, target 41" in answer.out
    assert "1 difference in 13 rows value by value" in answer.out


def test_many_differences_are_counted(moved: Moved) -> None:
    spoil(moved, "INSERT INTO events SELECT 'more', i FROM generate_series(1, 500) i")
    proof = moved.verify().proof
    assert not proof.holds
    assert proof.differing == 500


def test_source_that_changed_since_the_run(tmp_path: Path, database: str) -> None:
    moved = move_all(make_source(tmp_path / "app.db", SCHEMA), database)
    with holding(moved.source, "ALTER TABLE pets ADD COLUMN colour TEXT", "DELETE FROM events"):
        pass
    changed = moved.verify().changed
    assert "the source's schema has changed since the run" in changed
    assert "events had 4 rows during the run and has 0 now" in changed


def test_rejected_rows_that_came_back_are_not_explained(tmp_path: Path, database: str) -> None:
    """What a run rejected may be missing in the target, and nothing else."""
    source = make_source(
        tmp_path / "app.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1), (2, 'two'), (3, 3);",
    )
    moved = move(source, database, plan=plan_text(source))
    assert moved.result.rejects == 1
    assert moved.verify().proof.holds
    spoil(moved, "INSERT INTO t (id, n) OVERRIDING SYSTEM VALUE VALUES (2, 2)")
    assert found(moved) == {("t", 2, None)}


# -- sources that are not what they were -------------------------------------------------------------------------------

TWO = """
CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, y TEXT);
CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id));
INSERT INTO a VALUES (1, 'q', 'r');
INSERT INTO b VALUES (1, 1);
"""


@pytest.mark.parametrize(
    ("statement", "missed"),
    [
        ("ALTER TABLE a DROP COLUMN y", ("a", "y")),
        ("DROP TABLE b", ("b", None)),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY)", ("c", None)),
        ("ALTER TABLE a ADD COLUMN z TEXT DEFAULT 'zz'", ("a", "z")),
    ],
)
def test_tables_and_columns_that_came_or_went_are_differences(
    statement: str, missed: tuple[str, str | None], tmp_path: Path, database: str
) -> None:
    """Their rows are on one side only, and nobody has compared them."""
    moved = move_all(make_source(tmp_path / "app.db", TWO), database)
    with holding(moved.source, statement):
        pass
    assert found(moved) == {missed}


def test_the_run_is_found_by_file_and_target(embedded_server: servers.Server, tmp_path: Path) -> None:
    """Two runs of one file into two databases, in two styles: each target is held against its own plan."""
    source = make_source(tmp_path / "app.db", SCHEMA)
    with servers.fresh_database(embedded_server) as one, servers.fresh_database(embedded_server) as other:
        first = move_all(source, one)
        move_all(source, other, style="idiomatic")
        runs = ("--run-dir", first.folder.path.parent, "--json")
        assert json.loads(migrator("verify", source, one, *runs).out)["run"] == str(first.folder.path)
        (tmp_path / "elsewhere").mkdir()
        namesake = make_source(tmp_path / "elsewhere" / "app.db", TWO)
        refused = migrator("verify", namesake, one, *runs)
        assert refused.code == 2
        assert "--run" in refused.err


# -- views -------------------------------------------------------------------------------------------------------------


def test_rejects_excuse_only_the_views_that_read_their_table(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "app.db",
        "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), ('two');"
        "CREATE TABLE u (n INTEGER); INSERT INTO u VALUES (1), (2);"
        "CREATE VIEW of_t AS SELECT count(*) AS c FROM t; CREATE VIEW of_u AS SELECT count(*) AS c FROM u;"
        "CREATE VIEW of_both AS SELECT of_t.c AS c FROM of_t JOIN of_u",
    )
    moved = move(source, database, plan=plan_text(source))
    assert moved.result.rejects == 1
    assert moved.verify().proof.holds
    spoil(moved, "CREATE OR REPLACE VIEW of_u AS SELECT count(*) + 5 AS c FROM u")
    assert found(moved) == {("of_u", None)}


def test_a_view_that_only_postgresql_cannot_compute_is_named(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "app.db",
        f"CREATE TABLE k (x INTEGER); INSERT INTO k VALUES ({2**63 - 1}); CREATE VIEW more AS SELECT x + 1 AS y FROM k",
    )
    with pytest.raises(Mismatch) as raised:
        move(source, database)
    assert "bigint out of range" in raised.value.why
    assert "[views.more] with drop = true" in raised.value.next_step


def test_a_view_that_fails_in_sqlite_too_is_not_compared(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "app.db",
        f"CREATE TABLE k (x INTEGER); INSERT INTO k VALUES ({2**63 - 1}), (5);"
        "CREATE VIEW total AS SELECT sum(x) AS y FROM k",
    )
    moved = move_all(source, database)
    assert "integer overflow" in moved.result.proof.views["total"]
