"""Rejected rows in bulk: the groups, and that the line of the plan that is named carries the rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg

from .moving import make_source
from .terminal import migrator

SOURCE = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO rooms VALUES (1, 'kitchen');
CREATE TABLE readings (
    id INTEGER PRIMARY KEY, value REAL, width INTEGER, note TEXT, room INTEGER REFERENCES rooms
);
INSERT INTO readings (id, value) SELECT value, 'about ' || value FROM json_each('[1,2,3,4,5]');
INSERT INTO readings (id, width) VALUES (6, ''), (7, '');
INSERT INTO readings (id, note) VALUES (8, 'a' || char(0) || 'b');
INSERT INTO readings (id, room) VALUES (9, 77);
INSERT INTO readings (id, value) VALUES (10, 1.5);
"""
FIT = {
    "value": 'policy = "widen"',
    "width": 'policy = "null-if-empty"',
    "note": 'policy = "strip-nul"',
}


def test_rejects_are_grouped_and_the_named_line_carries_them(tmp_path: Path, database: str) -> None:
    source, plan, runs = make_source(tmp_path / "home.db", SOURCE), tmp_path / "plan.toml", tmp_path / "runs"
    assert migrator("plan", source, "-o", plan).code == 7
    text = re.sub(r'orphans = "[a-z-]+"', 'orphans = "reject"', plan.read_text(encoding="utf-8"))
    plan.write_text(text, encoding="utf-8")
    assert migrator("run", source, database, "--plan", plan, "--run-dir", runs).code == 3

    answer = migrator("rejects", "--run-dir", runs)
    assert answer.code == 0
    assert "readings.value (text): 5 rows: text … is not a double precision" in " ".join(answer.out.split())
    assert "id=1; id=2; id=3, …" in answer.out
    groups = json.loads(migrator("rejects", "--run-dir", runs, "--json").out)["groups"]
    assert {(group["column"], group["rows"]) for group in groups} == {
        ("value", 5),
        ("width", 2),
        ("note", 1),
        ("room", 1),
    }
    remedies = {group["column"]: group["remedy"] for group in groups}
    for column, line in FIT.items():
        assert remedies[column].startswith(f"[tables.readings.columns] {column}: add {line}")
        text = re.sub(rf"(?m)^({column} = {{.*?)(, policy = \"[a-z-]+\")?}}", rf"\1, {line}}}", text, count=1)
    assert remedies["room"] == '[tables.readings.foreign_keys] room = {orphans = "not-valid"}, or "null"'
    plan.write_text(text.replace('orphans = "reject"', 'orphans = "not-valid"'), encoding="utf-8")

    again = migrator("run", source, database, "--plan", plan, "--run-dir", runs)
    assert again.code == 0, again.all
    assert "which left rows out, give way" in again.err
    assert "nothing was rejected" in migrator("rejects", "--run-dir", runs).out
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM readings").fetchone() == (10,)


MIXED = """
CREATE TABLE mixed (id INTEGER PRIMARY KEY, i INTEGER, t TEXT, r REAL);
INSERT INTO mixed SELECT value, value, 'text ' || value, value / 3.0 FROM json_each('[1,2,3,4,5,6,7,8,9,10]');
INSERT INTO mixed VALUES (11, 'abc', 't', 1), (12, 1, 'n' || char(0) || 'ul', 1), (13, 1, CAST(x'ff41' AS TEXT), 1),
    (14, 1, x'4142', 1), (15, 1.5, 'x', 'notreal'), (16, x'00', 'x', x'01');
"""


def test_no_named_line_costs_other_rows(tmp_path: Path, database: str) -> None:
    """Where a column has several faults, and where every one of the lines is followed."""
    source, plan, runs = make_source(tmp_path / "mixed.db", MIXED), tmp_path / "plan.toml", tmp_path / "runs"
    assert migrator("plan", source, "-o", plan).code == 7
    command = ("run", source, database, "--plan", plan, "--run-dir", runs, "--replace", "--yes")
    assert migrator(*command).code == 3
    groups = json.loads(migrator("rejects", "--run-dir", runs, "--json").out)["groups"]
    assert {group["reason"] for group in groups if group["column"] == "t"} == {
        "text with a NUL character (U+0000), which PostgreSQL cannot store: …",
        "text with bytes that are not valid in the database's encoding: invalid text …",
        "blob … is not a text",
    }
    lines: dict[str, str] = {}
    for group in groups:
        if found := re.search(r'add (policy = "[a-z-]+")', group["remedy"]):
            assert lines.setdefault(group["column"], found[1]) == found[1], "a column has one policy"
    assert set(lines) == {"i", "t", "r"}
    text = plan.read_text(encoding="utf-8")
    for column, line in lines.items():
        text = re.sub(rf"(?m)^({column} = {{.*?)}}", rf"\1, {line}}}", text, count=1)
    plan.write_text(text, encoding="utf-8")

    assert migrator(*command).code == 3
    left = json.loads(migrator("rejects", "--run-dir", runs, "--json").out)["groups"]
    assert sum(group["rows"] for group in left) < sum(group["rows"] for group in groups)
    assert {key["id"] for group in left for key in group["keys"]} == {14, 16}
    assert {group["remedy"].partition(":")[0] for group in left} == {
        "no line of the plan carries them beside the other values"
    }


def test_there_has_to_be_a_run(tmp_path: Path) -> None:
    answer = migrator("rejects", "--run-dir", tmp_path)
    assert answer.code == 2
    assert "There is no run" in answer.err
    assert migrator("rejects", tmp_path).code == 2


def test_a_view_over_text_that_is_none_is_not_compared(tmp_path: Path, database: str) -> None:
    """It has no result in SQLite that could be held against another; the run says so, and goes on."""
    script = """CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); CREATE VIEW v AS SELECT id, s FROM t;
        INSERT INTO t VALUES (1, 'a'), (2, CAST(x'ff41' AS TEXT));"""
    source, plan, runs = make_source(tmp_path / "home.db", script), tmp_path / "plan.toml", tmp_path / "runs"
    assert migrator("plan", source, "-o", plan).code == 7
    answer = migrator("run", source, database, "--plan", plan, "--run-dir", runs, "--json")
    assert answer.code == 3
    assert "not valid in the database's encoding" in json.loads(answer.out)["proof"]["views"]["v"]
    exported = migrator("export", source, tmp_path / "export", "--plan", plan)
    assert exported.code == 3, exported.all


def test_a_view_of_a_column_that_was_widened_is_left_behind(tmp_path: Path, database: str) -> None:
    """Its numbers are texts afterwards, which is another result."""
    script = """CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); CREATE VIEW v AS SELECT id, n FROM t;
        CREATE VIEW w AS SELECT id FROM t; INSERT INTO t VALUES (1, 1), (2, 'abc');"""
    source, plan, runs = make_source(tmp_path / "home.db", script), tmp_path / "plan.toml", tmp_path / "runs"
    assert migrator("plan", source, "-o", plan).code == 7
    command = ("run", source, database, "--plan", plan, "--run-dir", runs)
    assert migrator(*command).code == 3
    line = r'(?m)^(n = {.*?)(, policy = "[a-z-]+")?}'
    text = re.sub(line, r'\1, policy = "widen"}', plan.read_text(encoding="utf-8"))
    plan.write_text(text, encoding="utf-8")
    answer = migrator(*command)
    assert answer.code == 0, answer.all
    assert "n holds several storage classes" in " ".join(answer.all.split())
    with psycopg.connect(database) as connection:
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
    assert views == [("w",)]


def test_indexes_that_are_left_behind_are_there(tmp_path: Path) -> None:
    source = make_source(tmp_path / "home.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE)")
    plan = tmp_path / "plan.toml"
    assert migrator("plan", source, "-o", plan).code == 0
    text = plan.read_text(encoding="utf-8").replace('target = "t"\n', 'target = "t"\ndrop_indexes = ["t_u_key"]\n')
    plan.write_text(text, encoding="utf-8")
    answer = migrator("schema", source, "--plan", plan)
    assert answer.code == 2
    assert "no index t_u_key" in answer.err
    assert "sqlite_autoindex_t_1" in answer.err


def test_what_no_policy_carries_is_not_promised(tmp_path: Path) -> None:
    script = "CREATE TABLE t (id INTEGER PRIMARY KEY, z); INSERT INTO t VALUES (1, 'text'), (2, x'00ff'), (3, x'41')"
    source = make_source(tmp_path / "home.db", script)
    answer = migrator("plan", source)
    assert answer.code == 7
    assert "No policy carries blobs beside other values" in answer.out
