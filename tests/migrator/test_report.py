"""The report of real runs: it says what the run said, as JSON and as a page, whatever the names and values are."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg

from .moving import make_source
from .reported import EVIL, Everything
from .terminal import Answer, migrator
from .test_killed import ROWS, command, run_killed
from .test_killed import SOURCE as HOME

SECTIONS = {"The run", "The proof", "Time", "Rejected rows", "Healed values", "Findings", "Tables and types"}


class Parsed(HTMLParser):
    """The elements, attributes, headings and text of a page; elements are divided by spaces."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.headings: set[str] = set()
        self.text = ""
        self._inside: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "bdi":
            self.text += " "
        if tag not in ("meta", "br"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] == "h2":
            self.headings.add(data)
        if "style" not in self._inside:
            self.text += data


def reported(runs: Path, *arguments: str | Path) -> dict[str, Any]:
    answer = migrator("report", *arguments, "--run-dir", runs, "--json")
    assert answer.code == 0, answer.all
    return dict(json.loads(answer.out))


# -- what is in it -----------------------------------------------------------------------------------------------------


def test_the_report_says_what_the_run_said(everything: Everything) -> None:
    said = dict(everything.said)
    report = reported(everything.runs)

    assert (report["kind"], report["version"], report["ending"]) == ("report", 1, "in place")
    assert (said.pop("kind"), said.pop("version")) == ("run", 1)
    source, target = report["run"].pop("source"), report["run"].pop("target")
    assert report["run"].pop("stamp")[0][0] == "home & garden.db"
    assert report["run"] == said
    assert abs(datetime.now(UTC) - datetime.fromisoformat(report["begun_at"])) < timedelta(hours=1)
    assert source == str(everything.folder / "home & garden.db")
    assert "@" not in target

    tables = {table["source"]: table for table in report["tables"]}
    proof = said["proof"]["tables"]
    assert {name: table["rows"] for name, table in tables.items()} == {
        name: item["rows"] for name, item in proof.items()
    }
    assert (tables["readings"]["rejected"], tables["readings"]["healed"]) == (6, 3)
    columns = {column["source"]: column for column in tables["readings"]["columns"]}
    assert columns["width"] == {
        "source": "width",
        "declared": "INTEGER",
        "target": "width",
        "type": "bigint",
        "settings": {"policy": "null-if-empty"},
        "why": "INTEGER: 2 texts ≤ 0 characters (empty × 2), 8 NULL",
    }
    assert {(group["table"], group["column"], group["rows"]) for group in report["rejects"]} == {
        ("readings", "value", 5),
        ("readings", "room", 1),
        (EVIL, "a\"b'c", 1),
    }
    assert [(group["column"], group["policy"], group["values"]) for group in report["healed"]] == [
        ("width", "null-if-empty", 2),
        ("note", "strip-nul", 1),
    ]
    assert said["proof"]["views"].keys() == {"<b>bright</b>"}
    # The row without its parent had arrived before it was left out.
    assert sum(unit["rows"] for unit in report["units"]) == report["throughput"]["rows"] == said["rows"] + 1


def test_the_page_says_it_too(everything: Everything) -> None:
    parsed = Parsed(everything.page())
    text = " ".join(parsed.text.split())

    assert parsed.headings == SECTIONS
    assert "7 rows were left out. Each has its reason below. The other 7 rows in 5 tables were read back" in text
    assert f"{everything.said['proof']['parts_compared']} tables, indexes, keys" in text
    assert 'id = 1; id = 2; id = 3; … [tables.readings.columns] value: add policy = "widen"' in text.replace(
        "\xa0", " "
    )
    assert "2 texts ≤ 0 characters (empty × 2), 8 NULL" in text
    assert "collation C, policy strip-nul" in text
    assert "CREATE TRIGGER shout" in text
    assert "same 1 row" in text
    assert "1 of these was left out later, for want of a parent." in text


def test_nothing_of_the_source_is_taken_for_the_page(everything: Everything) -> None:
    """Names, keys, values, SQL: each is there as text, and what would turn it around is spelled out."""
    parsed = Parsed(everything.page())

    assert parsed.tags.isdisjoint(
        {"script", "img", "link", "iframe", "object", "base", "form", "a", "b onclick", "i", "u", "s"}
    )
    assert not [name for name in parsed.attributes if name.startswith("on") or name in ("src", "href", "style")]
    for text in (EVIL, "<img src=x onerror=alert(2)>", '</style><b onclick="x">', "<b>bright</b>", '"<u>"', "'<s>'"):
        assert text in parsed.text
    assert "photo‹U+202E›gnp.exe" in parsed.text
    assert "‹U+2066›x" in parsed.text
    assert parsed.text.isprintable() or {sign for sign in parsed.text if not sign.isprintable()} <= {"\n", "\xa0"}
    assert "שולחן" in parsed.text


def test_a_file_elsewhere(everything: Everything, tmp_path: Path) -> None:
    [folder] = everything.runs.iterdir()
    (folder / "report.html").unlink(missing_ok=True)
    file = tmp_path / "of the day.html"

    assert reported(tmp_path / "nowhere", folder, "-o", file)["file"] == str(file)
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (folder / "report.html").exists()
    refused = migrator("report", folder, "-o", tmp_path / "no" / "folder.html")
    assert refused.code == 1
    assert "No such file or directory" in " ".join(refused.err.split())


def test_a_merge_and_what_is_left_behind(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "shops.db",
        "CREATE TABLE north (id INTEGER PRIMARY KEY, total REAL); INSERT INTO north VALUES (1, 2.5), (2, 3.5);"
        "CREATE TABLE south (id INTEGER PRIMARY KEY, total REAL); INSERT INTO south VALUES (3, 4.5);"
        "CREATE TABLE old (id INTEGER PRIMARY KEY);",
    )
    plan = tmp_path / "plan.toml"
    assert migrator("plan", source, "-o", plan).code == 0
    text = plan.read_text(encoding="utf-8")
    head, fingerprint = text[: text.index("[tables.")], text[text.index("[fingerprint]") :]
    merge = """
[tables.orders]
source = "SELECT id, total, 'north' AS shop FROM north UNION ALL SELECT id, total, 'south' FROM south"
key = ["id"]
covers = ["north", "south"]
[tables.old]
drop = true
"""
    plan.write_text(f"{head}{merge}{fingerprint}", encoding="utf-8")
    assert migrator("run", source, database, "--plan", plan, "--run-dir", tmp_path / "runs").code == 0
    report = reported(tmp_path / "runs")

    orders, old = sorted(report["tables"], key=lambda table: not table["rows"])
    assert (orders["covers"], orders["rows"], old["dropped"]) == (["north", "south"], 3, True)
    assert [(column["target"], column["declared"], column["type"]) for column in orders["columns"]] == [
        ("id", None, "bigint"),
        ("total", None, "double precision"),
        ("shop", None, "text"),
    ]
    with psycopg.connect(database) as connection:
        made = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        made += " WHERE attrelid = 'orders'::regclass AND attnum > 0 ORDER BY attnum"
        assert connection.execute(made).fetchall() == [(item["target"], item["type"]) for item in orders["columns"]]
    [page] = (tmp_path / "runs").glob("*/report.html")
    text = " ".join(Parsed(page).text.split())
    assert "orders north 2, south 1 3 0" in text
    assert "One query over north, south:" in text
    assert "old left behind, as the plan says" in text


def test_a_load_is_reported_like_a_run_and_an_export_is_none(tmp_path: Path, database: str) -> None:
    source, folder = make_source(tmp_path / "home.db", HOME), tmp_path / "export"
    assert migrator("export", source, folder).code == 0
    assert_refused(migrator("report", folder), "is the folder of an export")
    assert migrator("load", folder, database, "--run-dir", tmp_path / "runs").code == 0
    report = reported(tmp_path / "runs")
    [page] = (tmp_path / "runs").glob("*/report.html")

    assert (report["ending"], report["run"]["source"]) == ("in place", str(source))
    assert {table["source"]: table["rows"] for table in report["tables"]} == ROWS
    assert sum(unit["rows"] for unit in report["units"]) == sum(ROWS.values())
    assert "an export, checked against its manifest" in Parsed(page).text
    assert "8 integers 1 … 8" in Parsed(page).text


# -- runs that ended otherwise -----------------------------------------------------------------------------------------


def test_a_resumed_run_has_the_throughput_of_all_its_attempts(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "home.db", HOME)
    assert run_killed("third table copied", *command(source, database)) == signal.SIGKILL
    unfinished = migrator("report", "--run-dir", tmp_path / "runs")
    assert unfinished.code == 2
    assert "has not come to its end" in unfinished.err
    with psycopg.connect(database, autocommit=True) as connection:
        [(journal,)] = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator_journal%'")
        night = "begun_at = begun_at - interval '8 h', arrived_at = arrived_at - interval '8 h'"
        connection.execute(f'UPDATE "{journal}".unit SET {night}')
    with closing(sqlite3.connect(source)) as db, db:
        db.execute("INSERT INTO lamps VALUES (100, 1, 'bought in the night')")
    assert migrator(*command(source, database)).code == 0
    report = reported(tmp_path / "runs")

    assert report["run"]["attempt"] == 2
    by_attempt = {number: [unit for unit in report["units"] if unit["attempt"] == number] for number in (1, 2)}
    assert sum(unit["rows"] for unit in report["units"]) == sum(ROWS.values()) + 1
    assert {unit["table"] for unit in report["units"]} == ROWS.keys()
    assert all(by_attempt.values())
    times = [datetime.fromisoformat(unit["arrived_at"]) for unit in report["units"]]
    assert max(times) - min(times) > timedelta(hours=7)
    assert len(report["throughput"]["resumed_s"]) == 1
    assert report["throughput"]["resumed_s"][0] < report["throughput"]["seconds"] < 3600
    [page] = (tmp_path / "runs").glob("*/report.html")
    assert "went on here" in Parsed(page).text
    assert "in attempt 2, the last." in Parsed(page).text


def test_a_run_that_ended_behind_its_rename_is_reported_like_any_other(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "home.db", HOME)
    assert run_killed("renamed", *command(source, database)) == signal.SIGKILL
    assert migrator(*command(source, database)).code == 0
    report = reported(tmp_path / "runs")

    assert report["ending"] == "in place"
    assert sum(unit["rows"] for unit in report["units"]) == report["run"]["rows"] == sum(ROWS.values())


def test_a_dry_run_is_reported_as_one(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "home.db", HOME)
    assert migrator("run", source, database, "--run-dir", tmp_path / "runs", "--dry-run").code == 0
    report = reported(tmp_path / "runs")
    [page] = (tmp_path / "runs").glob("*/report.html")

    assert (report["ending"], report["units"], report["throughput"]["rates"]) == ("dry run", [], [])
    assert {table["source"] for table in report["tables"]} == ROWS.keys()
    parsed = Parsed(page)
    assert "Nothing was changed." in parsed.text
    assert "4 × table" in parsed.text
    assert parsed.headings == {"The run", "Time", "Tables and types", "Findings"}


def test_a_difference_is_reported_with_both_sides(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "app.db",
        f"CREATE TABLE k (x INTEGER); INSERT INTO k VALUES ({2**63 - 1}); CREATE VIEW more AS SELECT x + 1 AS y FROM k",
    )
    assert migrator("run", source, database, "--run-dir", tmp_path / "runs").code == 3
    report = reported(tmp_path / "runs")
    [page] = (tmp_path / "runs").glob("*/report.html")
    text = Parsed(page).text

    assert (report["ending"], report["run"]["proof"]["differing"]) == ("mismatch", 1)
    assert "The copy is not the same." in text
    assert "the target is as it was" in text
    assert "bigint out of range" in text
    refused = migrator("verify", source, database, "--run-dir", tmp_path / "runs")
    assert refused.code == 2


# -- no run ------------------------------------------------------------------------------------------------------------


def assert_refused(answer: Answer, said: str) -> None:
    assert answer.code == 2, answer.all
    assert said in " ".join(answer.err.split())


def test_there_has_to_be_a_run(tmp_path: Path) -> None:
    assert_refused(migrator("report", "--run-dir", tmp_path), "There is no run in")
    assert_refused(migrator("report", tmp_path), "is not the folder of a run")


def test_what_somebody_has_changed_in_the_folder_is_refused(tmp_path: Path, database: str) -> None:
    source, runs = make_source(tmp_path / "home.db", HOME), tmp_path / "runs"
    assert migrator("run", source, database, "--run-dir", runs).code == 0
    [folder] = runs.iterdir()
    outcome = folder / "run.json"
    text = outcome.read_text(encoding="utf-8")
    for changed, said in (
        (text.replace('"version": 1', '"version": 99'), "has version 99"),
        (text.replace('"proof"', '"prof"'), "are not as the run has written them"),
        (text.replace('"seconds"', '"hours"'), "are not as the run has written them"),
        (text[:-20], "has not come to its end"),
        ("[1, 2]", "has not come to its end"),
    ):
        outcome.write_text(changed, encoding="utf-8")
        assert_refused(migrator("report", folder), said)
    outcome.write_text(text, encoding="utf-8")
    (folder / "units.jsonl").write_text('{"table": "rooms"}\n', encoding="utf-8")
    assert_refused(migrator("report", folder), "are not as the run has written them")
