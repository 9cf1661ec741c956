"""Sources made to hurt: whatever stands in them, the run ends, and nothing of it is executed or lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator.core.errors import DecisionNeeded
from migrator.steps import origin, verification

from .faults import assert_ended
from .moving import Moved, make_source, move
from .oracle import assert_same_rows, open_source, open_target
from .terminal import migrator_forked

Figure = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def canary(database: str) -> Iterator[None]:
    """A table of somebody else, which is there afterwards as it was before."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA somebody; CREATE TABLE somebody.bird AS SELECT 'sings' AS does")
        yield
        assert connection.execute("SELECT does FROM somebody.bird").fetchall() == [("sings",)]


def carried(tmp_path: Path, database: str, script: str) -> Moved:
    moved = move(make_source(tmp_path / "hostile.db", script), database)
    assert moved.result.proof.holds
    return moved


def one(database: str, query: str) -> Any:
    with open_target(database) as target:
        row = target.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


# -- views without an end ----------------------------------------------------------------------------------------------

SQUARED = """
CREATE TABLE t (id INTEGER PRIMARY KEY);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO t SELECT i FROM n;
CREATE VIEW v AS SELECT {} FROM t a CROSS JOIN t b CROSS JOIN t c CROSS JOIN t d CROSS JOIN t e;
"""


def test_view_with_rows_without_end(tmp_path: Path, database: str, figure: Figure) -> None:
    began = time.monotonic()
    moved = carried(tmp_path, database, SQUARED.format("a.id"))
    assert moved.result.proof.views == {"v": "not compared: more than 100,000 rows"}
    figure("a view with rows without end", f"not compared; {time.monotonic() - began:.1f} s in all")


def test_view_that_never_has_a_row(
    tmp_path: Path, database: str, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "MAX_VIEW_S", 1.0)
    began = time.monotonic()
    moved = carried(tmp_path, database, SQUARED.format("count(*) AS c"))
    assert moved.result.proof.views == {"v": "not compared: more than 1 s in SQLite"}
    figure("a view that never has a row", f"not compared; {time.monotonic() - began:.1f} s in all (limit 1 s)")


def test_view_that_never_has_a_row_in_postgresql(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite was fast enough: there the time is up at once."""
    monkeypatch.setattr(verification, "MAX_VIEW_S", 0.001)
    script = SQUARED.replace(" CROSS JOIN t c CROSS JOIN t d CROSS JOIN t e", "").format("count(*) AS c")
    moved = carried(tmp_path, database, script)
    assert moved.result.proof.views == {"v": "not compared: more than 0.001 s in PostgreSQL"}


def test_view_that_recurses_without_end(tmp_path: Path, database: str) -> None:
    """Recursion is not carried, so nobody asks for its end."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"
    assert carried(tmp_path, database, f"CREATE TABLE t (a); CREATE VIEW v AS {endless};").result.proof.views == {}


def test_view_of_large_values(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "MAX_VIEW_BYTES", 1_000_000)
    script = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
        INSERT INTO t SELECT value, hex(zeroblob(100000)) FROM json_each('[1,2,3,4,5,6]');
        CREATE VIEW v AS SELECT body FROM t;"""
    assert carried(tmp_path, database, script).result.proof.views == {"v": "not compared: more than 1,000,000 bytes"}


def test_views_that_double(tmp_path: Path, database: str, figure: Figure) -> None:
    """Each reads the one before twice. SQLite gives up at 65,535 references; what it can read is carried."""
    views = [f"CREATE VIEW v{n} AS SELECT a FROM v{n - 1} UNION ALL SELECT a FROM v{n - 1};" for n in range(1, 20)]
    began = time.monotonic()
    script = "CREATE TABLE t (a INTEGER); CREATE VIEW v0 AS SELECT a FROM t;" + "".join(views[:9] + views[-1:])
    moved = carried(tmp_path, database, script)
    figure("views that double from one to the next", f"{time.monotonic() - began:.1f} s in all")
    assert len(moved.result.proof.views) == 10
    assert [item.where for item in moved.result.findings if item.rule == "view"] == ["v19"]


def test_views_that_read_each_other(tmp_path: Path, database: str) -> None:
    moved = carried(
        tmp_path, database, "CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM v;"
    )
    assert moved.result.proof.views == {}


# -- what would do something if it were executed -----------------------------------------------------------------------


def test_functions_with_effects_and_triggers(tmp_path: Path, database: str) -> None:
    written = tmp_path / "written"
    moved = carried(
        tmp_path,
        database,
        f"""
        CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);
        CREATE VIEW a AS SELECT writefile('{written}', 'x') AS x;
        CREATE VIEW b AS SELECT load_extension('{written}') AS x;
        CREATE VIEW c AS SELECT randomblob(1000000000) AS x;
        CREATE VIEW d AS SELECT edit('x', 'touch {written}') AS x;
        CREATE TRIGGER after_all AFTER INSERT ON t BEGIN DELETE FROM t; END;
        CREATE TRIGGER instead INSTEAD OF INSERT ON a BEGIN INSERT INTO t VALUES (2); END;
        """,
    )
    assert not written.exists()
    assert moved.result.proof.views == {}
    assert one(database, "SELECT count(*) FROM t") == 1


NAME = '"; DROP SCHEMA somebody CASCADE; --'
INJECTIONS = (
    NAME,
    "'); DROP SCHEMA somebody CASCADE; --",
    "$$; DROP SCHEMA somebody CASCADE; $$",
    "%s %(x)s {} \\",
    "a\nb\tc",
)


@pytest.mark.parametrize("name", INJECTIONS)
def test_sql_in_every_name(name: str, tmp_path: Path, database: str) -> None:
    quoted, text = '"' + name.replace('"', '""') + '"', "'" + name.replace("'", "''") + "'"
    table, column, index, view, type_, check = (
        '"' + (kind + name).replace('"', '""') + '"' for kind in ("t", "c", "i", "v", "TEXT", "k")
    )
    carried(
        tmp_path,
        database,
        f"""
        CREATE TABLE {table} (id INTEGER PRIMARY KEY, {column} {type_} DEFAULT {text}
            CONSTRAINT {check} CHECK ({column} <> ''),
            {quoted} TEXT GENERATED ALWAYS AS ({column} || {text}) STORED);
        INSERT INTO {table} DEFAULT VALUES;
        INSERT INTO {table} ({column}) VALUES ({text} || {text});
        CREATE INDEX {index} ON {table} ({column}) WHERE {column} <> {text};
        CREATE VIEW {view} AS SELECT {column} AS {quoted}, {text} AS "two" FROM {table};
        CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES {table});
        INSERT INTO child VALUES (1, 2);
        """,
    )
    with open_source(tmp_path / "hostile.db") as db, open_target(database) as target:
        assert assert_same_rows(db, target, "t" + name, f"SELECT * FROM {table}") == 2


def test_names_that_become_the_same(tmp_path: Path, database: str) -> None:
    """63 bytes are left of a name: of tables, columns and indexes that differ only behind them, none is lost. Where one
    has the name that another would get, a person is asked."""
    long = "n" * 62 + "ä"
    names = [f"{long}{x}" for x in "abc"]
    moved = carried(tmp_path, database, "".join(map(_table, names)))
    with open_target(database) as target:
        tables = [name for (name,) in target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert len(tables) == 3
    assert moved.result.rows == 3
    taken = make_source(tmp_path / "taken.db", "".join(map(_table, [*names, tables[0]])))
    with pytest.raises(DecisionNeeded, match="All would be"):
        move(taken, database, replace=True)


def _table(name: str) -> str:
    return f"""
        CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, "{name}" INT, "{name}2" INT);
        INSERT INTO "{name}" VALUES (1, 2, 3); CREATE INDEX "i{name}" ON "{name}" ("{name}");"""


# -- as deep and as wide as SQLite allows ------------------------------------------------------------------------------

NESTED = {
    "parentheses": lambda depth: "(" * depth + "a" + ")" * depth,
    "sums": lambda depth: "a" + " + 1" * depth,
    "NOT": lambda depth: "NOT " * depth + "a",
    "CASE": lambda depth: "CASE WHEN a > 1 THEN 2 ELSE " * depth + "a" + " END" * depth,
    "functions": lambda depth: "abs(" * depth + "a" + ")" * depth,
}
PLACES = {
    "CHECK": "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, CHECK ({} IS NOT NULL));",
    "view": "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE VIEW v AS SELECT {} AS x FROM t;",
    "generated column": "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, g INT GENERATED ALWAYS AS ({}) STORED);",
    "index": "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE INDEX i ON t (({}));",
}


@pytest.mark.parametrize("nested", NESTED)
def test_expressions_as_deep_as_sqlite_takes_them(nested: str, tmp_path: Path, database: str, figure: Figure) -> None:
    """In every place at once. What cannot be translated is a finding; what is carried gives the same."""
    depth = min(_deepest(place.format, NESTED[nested]) for place in PLACES.values())
    statements = [
        place.format(NESTED[nested](depth))
        .replace("TABLE t", f"TABLE t{n}")
        .replace("ON t ", f"ON t{n} ")
        .replace("FROM t", f"FROM t{n}")
        for n, place in enumerate(PLACES.values())
    ]
    rows = "".join(f"INSERT INTO t{n} (id, a) VALUES (1, 5), (2, -1);" for n in range(len(PLACES)))
    moved = carried(tmp_path, database, "".join(statements) + rows)
    left = sorted(item.rule for item in moved.result.findings)
    figure(f"{nested} nested {depth} deep", f"proven; not carried: {', '.join(left) or 'nothing'}")
    assert moved.result.rows == 2 * len(PLACES)


def _deepest(place: Callable[[str], str], nested: Callable[[int], str]) -> int:
    """By halves: the deepest that SQLite accepts, at most 990."""
    low, high = 1, 990
    while low < high:
        middle = (low + high + 1) // 2
        try:
            with closing(sqlite3.connect(":memory:")) as db:
                db.executescript(place(nested(middle)))
            low = middle
        except sqlite3.OperationalError:
            high = middle - 1
    return low


def test_two_thousand_columns(tmp_path: Path, database: str, figure: Figure) -> None:
    """SQLite's limit; PostgreSQL's is 1,600. Nothing is copied before somebody has decided."""
    columns = ", ".join(f"c{n} INT" for n in range(2000))
    source = make_source(tmp_path / "wide.db", f"CREATE TABLE t ({columns}); INSERT INTO t (c1) VALUES (1)")
    began = time.monotonic()
    ended = migrator_forked("run", source, database, "--run-dir", tmp_path / "runs", "--workers", "1")
    figure("2,000 columns", f"{time.monotonic() - began:.1f} s until the question")
    assert_ended(ended, 7, "2,000 columns; PostgreSQL allows 1,600", "migrator plan")
    with open_target(database) as target:
        assert target.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator%'").fetchall() == []
        assert target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == []


def test_a_thousand_texts_in_a_row(tmp_path: Path, database: str, figure: Figure) -> None:
    """Too short to move out of the page, too many for it: these rows are rejects, and the exit code says so."""
    columns = ", ".join(f"c{n} TEXT DEFAULT 'sixteen letters!'" for n in range(1000))
    nulls = ", ".join(["NULL"] * 1000)
    rows = f"INSERT INTO t (id) VALUES (1); INSERT INTO t VALUES (2, {nulls});"
    source = make_source(tmp_path / "wide.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns}); {rows}")
    ended = migrator_forked("run", source, database, "--run-dir", tmp_path / "runs", "--workers", "1")
    assert ended.code == 3, ended.all
    assert "row is too big" in migrator_forked("rejects", "--run-dir", tmp_path / "runs").out
    assert one(database, "SELECT id FROM t") == 2
    figure("1,000 texts of 16 bytes in a row", "exit 3: 1 row carried, 1 rejected: row is too big")
