"""migrator audit as a person and a program meet it: every format, exit codes, and names that nobody vouches for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from markdown_it import MarkdownIt

from migrator.core.audit.rules import RULES

from .applications import NAMES, Application
from .browser import Tab
from .moving import make_source
from .terminal import migrator
from .test_page import FAINT, PHONE, SCHEMES, WIDE

FORMATS = ("text", "markdown", "json", "sarif", "html")
SCHEMA = Path(__file__).parent.parent / "fixtures" / "sarif" / "sarif-schema-2.1.0.json"
# What would become markup, a colour, a new line, another cell or the end of a script, if anybody let it.
EVIL = "<img src=x onerror=alert(1)> [x](javascript:y) `` ` | </script> \x1b[31m \x9b1m [red]red[/] \u202e *b* &lt; \t"
HOSTILE = f'''
import sqlite3
def load(conn: sqlite3.Connection, name):
    conn.execute("""SELECT 1 FROM "{EVIL}" """)
    conn.execute(f"SELECT \\ud800 FROM t WHERE a = '{{name}}' -- {EVIL}")
    conn.execute("PRAGMA a({EVIL})")
'''


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "<b>name\n`|`[x](y)\u202e.py").write_text(HOSTILE, encoding="utf-8")
    (folder / "bad<i>.py").write_text("def (", encoding="utf-8")
    return folder


@pytest.fixture
def levqor(tmp_path: Path) -> Path:
    return Application("02_levqor").copy_to(tmp_path / "levqor").root


def log_of(program: Path) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(migrator("audit", program, "--format", "sarif").out)
    return log


# -- text --------------------------------------------------------------------------------------------------------------


def test_text_ends_with_the_number_and_what_to_do_next(levqor: Path) -> None:
    answer = migrator("audit", levqor)

    assert answer.code == 0
    *_, number, following = answer.out.splitlines()
    assert re.fullmatch(r"  \d+ places are left to change; rewrite can do \d+ of \d+ statements alone\.", number)
    assert following == f"  next: migrator rewrite python {levqor} --diff"
    assert "interval: " not in answer.out
    assert "scheduler.py:37  rollup_usage" in answer.out


def test_the_number_falls_to_zero(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import psycopg\n", encoding="utf-8")

    assert migrator("audit", tmp_path).out.splitlines()[-1] == "  Nothing is left to change."


@pytest.mark.parametrize("beside", [True, False], ids=["in a script", "in the database"])
def test_a_view_is_made_as_a_table_is(beside: bool, tmp_path: Path) -> None:
    made = (
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT); CREATE VIEW v_posts AS SELECT id, title FROM posts;"
    )
    program = tmp_path / "program"
    program.mkdir()
    (program / "app.py").write_text(
        "import sqlite3\nconn = sqlite3.connect('app.db')\nconn.execute('SELECT * FROM v_posts, missing')\n"
        "conn.execute('SELECT * FROM ' + input())\n",
        encoding="utf-8",
    )
    if beside:
        (program / "schema.sql").write_text(made, encoding="utf-8")
    database = () if beside else ("--db", make_source(tmp_path / "app.db", made))
    found = json.loads(migrator("audit", program, "--json", *database).out)["tables"]
    text = migrator("audit", program, *database).out

    assert [(table["name"], table["kind"], table["columns"]) for table in found] == [
        ("(unknown)", "unknown", []),
        ("missing", "missing", []),
        ("posts", "table", ["id INTEGER", "title TEXT"]),
        ("v_posts", "view", ["id", "title"]),
    ]
    assert "  (unknown)  decided while the program runs\n" in text
    assert "  missing  not made here\n" in text
    assert "  v_posts  view, 2 columns\n" in text
    assert "; 2 tables, 0 endpoints" in text


def test_a_database_tells_rows_and_sizes(tmp_path: Path) -> None:
    copy = Application("01_pickpulse").copy_to(tmp_path / "program")
    plain = json.loads(migrator("audit", copy.root, "--json").out)
    sized = json.loads(migrator("audit", copy.root, "--json", "--db", copy.make_database()).out)

    assert {table["rows"] for table in plain["tables"]} == {None}
    assert sum(table["rows"] for table in sized["tables"] if table["rows"] is not None) > 10
    assert all(table["size_bytes"] for table in sized["tables"] if table["rows"])


def test_a_plan_without_its_database_is_a_contradiction(levqor: Path, tmp_path: Path) -> None:
    answer = migrator("audit", levqor, "--plan", tmp_path / "plan.toml")

    assert answer.code == 2
    assert "--plan needs --db" in answer.err


def test_a_file_may_be_named_alone_or_several(levqor: Path) -> None:
    body = json.loads(migrator("audit", levqor / "scheduler.py", levqor / "db_utils.py", "--json").out)

    assert body["summary"]["files"] == 2


def test_nothing_to_read(tmp_path: Path) -> None:
    assert migrator("audit", tmp_path).code == 2
    assert "is not there" in migrator("audit", tmp_path / "gone").err
    assert migrator("audit").code == 2


@pytest.mark.parametrize("form", FORMATS)
def test_output_goes_into_a_file(form: str, levqor: Path, tmp_path: Path) -> None:
    file = tmp_path / "report"
    answer = migrator("audit", levqor, "--format", form, "-o", file)

    assert (answer.code, answer.out) == (0, "")
    assert file.read_text(encoding="utf-8").strip() == migrator("audit", levqor, "--format", form).out.strip()


def test_json_is_a_format(levqor: Path) -> None:
    assert migrator("audit", levqor, "--json").out == migrator("audit", levqor, "--format", "json").out
    assert migrator("audit", levqor, "--json", "--format", "html").code == 2


# -- json --------------------------------------------------------------------------------------------------------------


def test_json_holds_it_all(levqor: Path) -> None:
    body = json.loads(migrator("audit", levqor, "--json").out)

    assert (body["kind"], body["version"]) == ("audit", 1)
    assert set(body) == {
        "kind", "version", "tables", "endpoints", "jobs", "hazards", "statements", "unread", "summary", "rules",
    }  # fmt: skip
    assert set(body["rules"]) == {hazard["rule"] for hazard in body["hazards"]} == set(body["summary"]["hazards"])
    [usage] = [door for door in body["endpoints"] if door["path"] == "/api/billing/usage"]
    assert (usage["method"], usage["operation"]) == ("POST", "WRITE")
    assert usage["through"][0]["functions"] == ["record_usage"]
    declined = sum(bool(statement["declined"]) for statement in body["statements"])
    assert body["summary"]["statements"] - declined == body["summary"]["rewritable"]


# -- sarif -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_sarif_is_valid(name: str, tmp_path: Path) -> None:
    program = Application(name).copy_to(tmp_path / "program").root
    (program / "broken.py").write_text("def (", encoding="utf-8")
    log = log_of(program)
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(log)

    [run] = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == list(RULES)
    assert run["results"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    [told] = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("broken.py cannot be read: ")


def test_sarif_names_files_as_the_caller_sees_them(levqor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(levqor.parent)
    uris = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in log_of(Path(levqor.name))["runs"][0]["results"]
    }

    assert "levqor/api/keys.py" in uris
    assert all((levqor.parent / uri).is_file() for uri in uris)


def test_fingerprints_stay_when_lines_move(levqor: Path) -> None:
    def prints() -> list[str]:
        return [result["partialFingerprints"]["migratorAudit/v1"] for result in log_of(levqor)["runs"][0]["results"]]

    before = prints()
    for path in levqor.rglob("*.py"):
        path.write_text("# one more\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")

    assert prints() == before
    assert len(set(before)) == len(before)


# -- markdown ----------------------------------------------------------------------------------------------------------


def test_markdown_has_what_a_wiki_wants(levqor: Path) -> None:
    text = migrator("audit", levqor, "--format", "markdown").out
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert titles[:4] == ["Why this database is not safe in production", "Tables", "Endpoints", "Jobs"]
    assert titles[4:6] == ["Hazards", "Statements that a person has to change"]
    assert (
        "| POST | `/api/billing/usage` | WRITE | `usage_events` (writes), `users` (writes) | `record_usage` |" in text
    )


def test_markdown_of_hostile_names_is_text(hostile: Path) -> None:
    made = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = made.parse(migrator("audit", hostile, "--format", "markdown").out)
    inline = [child.type for token in tokens for child in token.children or ()]

    assert {"link_open", "image", "html_inline", "em_open", "strong_open"}.isdisjoint(inline)
    assert not [token for token in tokens if token.type in ("html_block", "fence")]


# -- what comes from the program ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_moves_a_terminal(form: str, hostile: Path) -> None:
    answer = migrator("audit", hostile, "--format", form)

    assert answer.code == 4
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", re.sub(r"\\u202e", "", _decoded(form, answer.out)))
    assert form == "html" or "<b>name\n" not in answer.out
    assert "bad<i>.py:1" in answer.err


def _decoded(form: str, out: str) -> str:
    """JSON keeps every sign, for a program; its escapes are no signs on a terminal."""
    return json.dumps(json.loads(out)) if form in ("json", "sarif") else out


def test_markup_of_the_terminal_is_text(hostile: Path) -> None:
    assert "[red]red[/]" in migrator("audit", hostile).out


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tab: Tab, levqor: Path, tmp_path: Path) -> Tab:
    file = tmp_path / "audit.html"
    migrator("audit", levqor, "--format", "html", "-o", file)
    tab.look("light", WIDE)
    tab.open(file.as_uri())
    return tab


def test_the_page_asks_for_nothing(page: Tab) -> None:
    assert len(page.requests) == 1
    assert page.complaints == []
    assert page.evaluate("document.querySelectorAll('svg.drawing path').length") > 40


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_of_the_page_can_be_read(scheme: str, page: Tab) -> None:
    page.look(scheme, WIDE)
    page.evaluate("document.querySelectorAll('details').forEach(found => found.open = true)")

    assert page.evaluate(FAINT) == []


def test_on_a_phone_nothing_of_the_page_sticks_out(page: Tab) -> None:
    page.look("light", PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(found => found.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


def test_the_page_can_be_searched(page: Tab) -> None:
    shown = "[...document.querySelectorAll('.item')].filter(found => !found.hidden).map(found => found.textContent)"
    everything = page.evaluate(shown)
    page.evaluate("box.value = 'Weekly_Digest'; box.dispatchEvent(new Event('input'))")
    found = page.evaluate(shown)

    assert 0 < len(found) < len(everything) / 5
    assert all("weekly_digest" in text for text in found)


def test_hostile_names_are_text_on_the_page(tab: Tab, hostile: Path, tmp_path: Path) -> None:
    file = tmp_path / "audit.html"
    migrator("audit", hostile, "--format", "html", "-o", file)
    tab.open(file.as_uri())

    assert tab.evaluate("document.querySelectorAll('img, i, b:not(p b, figcaption b), a').length") == 0
    assert tab.evaluate("document.querySelectorAll('script').length") == 1
    assert "‹U+202E›" in tab.evaluate("document.body.textContent")
    assert tab.complaints == []


def test_the_page_of_a_database_shows_its_rows(tab: Tab, tmp_path: Path) -> None:
    source = make_source(
        tmp_path / "a.db", "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1);"
    )
    (tmp_path / "app.py").write_text("import sqlite3\n", encoding="utf-8")
    file = tmp_path / "audit.html"
    migrator("audit", tmp_path / "app.py", "--db", source, "--format", "html", "-o", file)
    tab.open(file.as_uri())

    assert "1 row\n" in tab.evaluate("document.querySelector('details.item summary').textContent")
