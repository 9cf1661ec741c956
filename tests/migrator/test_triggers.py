"""Triggers from end to end: run, again, under a taken name, back to SQLite, and for a program that goes on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator import adapter

from .moving import make_source
from .returned import assert_same_files, bring_back, execute, findings
from .terminal import migrator

NOTES = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, n INTEGER DEFAULT 0, at TEXT);
CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT, note INTEGER);
CREATE VIEW bodies AS SELECT id, body FROM notes;
CREATE TRIGGER touched AFTER UPDATE ON notes BEGIN UPDATE notes SET at = 'now', n = n + 1 WHERE id = NEW.id; END;
CREATE TRIGGER logged AFTER INSERT ON notes BEGIN INSERT INTO log (what, note) VALUES ('new', NEW.id); END;
CREATE TRIGGER guarded BEFORE INSERT ON notes WHEN NEW.body = '' BEGIN SELECT RAISE(ABORT, 'a note is empty'); END;
CREATE TRIGGER through INSTEAD OF INSERT ON bodies BEGIN INSERT INTO notes (id, body) VALUES (NEW.id, NEW.body); END;
CREATE TRIGGER odd AFTER DELETE ON notes BEGIN DELETE FROM log WHERE id NOT IN (SELECT id FROM notes); END;
INSERT INTO notes (id, body) VALUES (1, 'one'), (2, 'two');
"""
CARRIED = {"touched", "logged", "guarded", "through"}


def triggers(database: str, schema: str = "public") -> set[str]:
    with psycopg.connect(database) as connection:
        return {
            name
            for (name,) in connection.execute(
                "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE NOT t.tgisinternal AND c.relnamespace = %s::regnamespace",
                (schema,),
            )
        }


def one(database: str, query: str) -> Any:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode()).fetchall()


def test_there_and_back(each_database: str, tmp_path: Path) -> None:
    """Nothing fires while rows are carried; what fires later comes back too, and the file has its own triggers."""
    source, runs = make_source(tmp_path / "notes.db", NOTES), ("--run-dir", tmp_path / "runs", "--yes")
    there = migrator("run", source, each_database, *runs, "--json")
    assert there.code == 0, there.all
    assert {item["where"] for item in json.loads(there.out)["findings"] if item["rule"] == "trigger"} == {"odd"}
    assert triggers(each_database) == CARRIED
    assert one(each_database, "SELECT what, note FROM log ORDER BY id") == [("new", 1), ("new", 2)]
    again = migrator("run", source, each_database, *runs, "--replace")
    assert again.code == 0, again.all
    assert triggers(each_database) == CARRIED
    assert migrator("verify", source, each_database, "--run-dir", tmp_path / "runs").code == 0
    execute(each_database, "SET search_path TO pg_catalog", "INSERT INTO public.bodies VALUES (7, 'seven')")
    assert one(each_database, "SELECT what, note FROM log ORDER BY id") == [("new", 1), ("new", 2), ("new", 7)]
    execute(each_database, "DELETE FROM log WHERE note = 7", "DELETE FROM notes WHERE id = 7")
    back = bring_back(each_database, tmp_path / "again.db", "--json")
    assert back.code == 0, back.all
    assert findings(back) == set()
    assert_same_files(source, tmp_path / "again.db")
    by_catalog = bring_back(each_database, tmp_path / "other.db", "--schema", "public", "--json")
    assert ("trigger", "notes.touched") in findings(by_catalog)


def test_into_a_schema_of_its_own(database: str, tmp_path: Path) -> None:
    """A function finds its tables there, whatever the session looks through."""
    source, plan = make_source(tmp_path / "notes.db", NOTES), tmp_path / "plan.toml"
    assert migrator("plan", source, "-o", plan).code == 0
    text = plan.read_text().replace('schema = "public"', 'schema = "My notes"')
    plan.write_text(text + "\n[triggers.logged]\ndrop = true\n")
    answer = migrator("run", source, database, "--plan", plan, "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all
    assert triggers(database, '"My notes"') == CARRIED - {"logged"}
    execute(database, "CREATE TABLE notes (id int)", "UPDATE \"My notes\".notes SET body = 'x' WHERE id = 1")
    assert one(database, 'SELECT n, at FROM "My notes".notes ORDER BY id') == [(1, "now"), (0, None)]


def test_a_function_that_is_there_stays(database: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "notes.db", NOTES)
    execute(database, "CREATE FUNCTION logged() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    answer = migrator("run", source, database, "--run-dir", tmp_path / "runs")
    assert answer.code == 5
    assert "the function logged()" in answer.all
    assert one(database, "SELECT logged()") == [(1,)]
    assert triggers(database) == set()


def test_a_printed_schema_makes_them(database: str, tmp_path: Path) -> None:
    printed = migrator("schema", make_source(tmp_path / "notes.db", NOTES))
    assert printed.code == 0
    execute(database, printed.out)
    assert triggers(database) == CARRIED
    execute(database, "INSERT INTO notes (id, body) VALUES (1, 'x')", "UPDATE notes SET body = 'y'")
    assert one(database, "SELECT body, n, at FROM notes") == [("y", 1, "now")]


def program(connection: Any) -> Any:
    """What a program sees of triggers that are there, and of those that it makes and drops."""
    found = [
        attempt(connection, "INSERT INTO notes (id, body) VALUES (5, '')"),
        attempt(connection, "INSERT INTO notes (id, body) VALUES (6, 'six'), (7, 'seven')"),
        attempt(connection, "UPDATE notes SET body = body || '!' WHERE id > 5"),
        attempt(connection, "INSERT INTO bodies (id, body) VALUES (8, 'eight')"),
        attempt(connection, "CREATE TRIGGER IF NOT EXISTS gone BEFORE DELETE ON notes BEGIN"
                            " INSERT INTO log (what, note) VALUES ('gone', OLD.id); END"),
        attempt(connection, "CREATE TRIGGER IF NOT EXISTS gone BEFORE DELETE ON notes BEGIN SELECT 1; END"),
        attempt(connection, "DELETE FROM notes WHERE id = 6"),
        attempt(connection, "DROP TRIGGER gone"),
        attempt(connection, "DROP TRIGGER IF EXISTS gone"),
        attempt(connection, "DELETE FROM notes WHERE id = 7"),
    ]  # fmt: skip
    tables = [connection.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() for name in ("notes", "bodies")]
    return found, tables, connection.execute("SELECT what, note FROM log ORDER BY id").fetchall()


def attempt(connection: Any, statement: str) -> Any:
    try:
        cursor = connection.execute(statement)
    except sqlite3.Error as error:
        connection.rollback()
        return type(error).__name__, str(error), error.sqlite_errorname
    connection.commit()
    return cursor.rowcount, cursor.lastrowid if statement.startswith("INSERT INTO notes") else None


def test_a_program_sees_what_it_saw(each_database: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "notes.db", NOTES.replace("CREATE TRIGGER odd", "-- "))
    answer = migrator("run", source, each_database, "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all
    with closing(sqlite3.connect(source)) as file, closing(adapter.connect(each_database)) as connection:
        ours, theirs = program(file), program(connection)
    assert theirs == ours
    assert ours[0][0] == ("IntegrityError", "a note is empty", "SQLITE_CONSTRAINT_TRIGGER")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO notes (id, body) VALUES (1, 'x')",
        "CREATE TRIGGER z AFTER UPDATE ON notes BEGIN INSERT INTO log (what) VALUES ('z'); END",
        "CREATE TRIGGER z AFTER UPDATE ON notes BEGIN UPDATE notes SET n = 0 WHERE id <> NEW.id; END",
        "DROP TRIGGER odd",
        "DELETE FROM bodies",
    ],
)
def test_a_program_is_refused_what_would_be_another(database: str, tmp_path: Path, statement: str) -> None:
    """A second trigger for the same would come behind the first by its name, and in SQLite the newest comes first."""
    answer = migrator("run", make_source(tmp_path / "n.db", NOTES), database, "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all
    with closing(adapter.connect(database)) as connection, pytest.raises(sqlite3.Error) as refused:
        connection.execute(statement)
    assert (
        "(trigger)" in str(refused.value) or "no such trigger" in str(refused.value) or "modify" in str(refused.value)
    )
    assert triggers(database) == CARRIED


def test_the_newest_of_several_comes_first(database: str, tmp_path: Path) -> None:
    answer = migrator("run", make_source(tmp_path / "n.db", NOTES), database, "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all
    with closing(adapter.connect(database)) as connection:
        connection.execute(
            "CREATE TRIGGER a AFTER UPDATE ON notes BEGIN INSERT INTO log (what) VALUES ('a' || NEW.n); END"
        )
        connection.execute("UPDATE notes SET body = 'x' WHERE id = 1")
        connection.commit()
        assert connection.execute("SELECT what FROM log WHERE id > 2 ORDER BY id").fetchall() == [("a0",), ("a1",)]
