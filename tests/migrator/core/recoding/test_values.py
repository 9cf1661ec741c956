"""What a rewrite says of values that may become others: by the columns that they come from and go to."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrator.core.recoding.target import TARGETS
from migrator.core.sql.placeholders import Driver

from ...test_rewrite_python import migrator

SCHEMA = """
CREATE TABLE e (id INTEGER PRIMARY KEY, at TEXT, utc TEXT, tags TEXT, doc TEXT, uid TEXT, active TEXT, price DECIMAL(8,2));
INSERT INTO e VALUES (1, '2024-01-01 10:00:00', '2024-01-01T09:00:00Z', '["a","b"]', '{"b":1}',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'true', 1.5);
INSERT INTO e VALUES (2, '2024-07-01 10:00:00', '2024-07-01T08:00:00Z', '[]', '{"a":2}',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12', 'false', 2.5);
CREATE TABLE plain (id INTEGER PRIMARY KEY, day DATE, thing, pic BLOB);
INSERT INTO plain VALUES (1, '2024-01-01', 'x', x'00');
"""
HEAD = "import sqlite3\nc = sqlite3.connect('app.db')\n"


def said(folder: Path, source: str, *, idiomatic: bool) -> tuple[list[tuple[str, str, str, str]], str]:
    """Severity, rule, line and message of each finding, and the module beside the program."""
    folder.joinpath("src").mkdir()
    with closing(sqlite3.connect(folder / "app.db")) as db:
        db.executescript(SCHEMA)
    folder.joinpath("src", "app.py").write_text(HEAD + source, encoding="utf-8")
    style = ("--style", "idiomatic", "--zone", "Europe/Berlin") if idiomatic else ()
    plan = folder / "plan.toml"
    assert migrator("plan", folder / "app.db", "-o", plan, *style).returncode in (0, 7)
    arguments = ("--db", folder / "app.db", "--plan", plan, "--write", "--json")
    done = json.loads(migrator("rewrite", "python", folder / "src", *arguments).stdout)
    found = [
        (item["severity"], item["rule"], item["where"].rpartition(":")[2], item["message"])
        for item in done["findings"]
        if item["rule"] != "given-id"
    ]
    return found, folder.joinpath("src", "postgresql.py").read_text(encoding="utf-8")


IDIOMATIC = [
    ("c.execute('SELECT at FROM e ORDER BY id')", []),
    ("c.execute('SELECT utc FROM e ORDER BY id')", [("warning", "spelling", "e.utc")]),
    ("c.execute('SELECT tags FROM e ORDER BY id')", [("warning", "array", "e.tags")]),
    ("c.execute('UPDATE e SET tags = ?', (x,))", [("warning", "array", "e.tags")]),
    ("c.execute('SELECT uid FROM e ORDER BY id')", [("warning", "spelling", "e.uid")]),
    ("c.execute('UPDATE e SET uid = ?', (x,))", [("note", "column-type", "e.uid")]),
    ("c.execute('SELECT active FROM e ORDER BY id')", [("warning", "spelling", "e.active")]),
    ("c.execute('SELECT doc FROM e ORDER BY id')", [("note", "spelling", "e.doc")]),
    ("c.execute('UPDATE e SET at = ?', (x,))", [("note", "date-text", "e.at")]),
]


@pytest.mark.parametrize(("source", "expected"), IDIOMATIC)
def test_columns_of_postgresqls_own_types(source: str, expected: list[tuple[str, ...]], tmp_path: Path) -> None:
    found, beside = said(tmp_path, source, idiomatic=True)
    assert [(severity, rule, where) for severity, rule, _, message in found for where in _columns(message)] == expected
    assert '_ZONE = "Europe/Berlin"' in beside


def _columns(message: str) -> list[str]:
    return [word.rstrip(",.:") for word in message.split() if word.startswith(("e.", "plain."))][:1] or [""]


FAITHFUL = [
    ("c.execute('SELECT day, max(day) FROM plain GROUP BY day ORDER BY day')", []),
    ("c.execute('UPDATE plain SET day = ?', (x,))", [("note", "date-text", "plain.day")]),
    (
        "c.execute('SELECT id FROM plain WHERE id = 1 AND day BETWEEN ? AND ?', (x, y))",
        [("note", "date-text", "plain.day")],
    ),
    ("c.execute('SELECT id FROM plain WHERE id = 1 AND day IN (?, ?)', (x, y))", [("note", "date-text", "plain.day")]),
    ("c.execute('UPDATE e SET price = ?', (x,))", [("warning", "scale", "e.price")]),
    ("c.execute('UPDATE e SET price = 2')", []),
    ("c.execute('UPDATE e SET price = price')", []),
    ("c.execute('INSERT INTO e (price) SELECT sum(price) FROM e')", [("warning", "scale", "e.price")]),
    ("c.execute('UPDATE plain SET thing = ?', (x,))", [("note", "column-type", "plain.thing")]),
    ("c.execute('SELECT id FROM plain WHERE id = 1 AND thing = ?', (x,))", [("note", "column-type", "plain.thing")]),
    ("c.execute('UPDATE plain SET pic = ?', (x,))", [("note", "column-type", "plain.pic")]),
    ("c.execute('UPDATE e SET at = ?', (b'x',))", [("warning", "column-type", "")]),
    ("c.execute('SELECT sum(price) FROM e')", [("note", "mixed", "")]),
    (
        "c.execute('SELECT total FROM (SELECT sum(price) AS total FROM e)')",
        [("note", "order", ""), ("note", "mixed", "")],
    ),
    ("c.execute('SELECT id FROM e WHERE rowid = 1')", []),
    ("c.execute('SELECT id FROM e')", [("note", "order", "")]),
    ("c.execute('SELECT id FROM e UNION SELECT id FROM plain')", [("note", "order", "")]),
    ("c.execute('SELECT count(*), max(id) FROM e')", []),
]


@pytest.mark.parametrize(("source", "expected"), FAITHFUL)
def test_columns_of_the_declared_types(source: str, expected: list[tuple[str, ...]], tmp_path: Path) -> None:
    found, _ = said(tmp_path, source, idiomatic=False)
    told = [(severity, rule, where) for severity, rule, _, message in found for where in _columns(message)]
    assert sorted(told) == sorted(expected)


def test_each_column_is_told_once_and_the_order_once_for_the_program(tmp_path: Path) -> None:
    source = "for x in range(3):\n    c.execute('UPDATE plain SET day = ?', (x,))\n" + (
        "c.execute('SELECT id FROM plain')\nc.execute('INSERT INTO plain (day) VALUES (?)', (x,))\nc.execute('SELECT * FROM e')\n"
    )
    found, _ = said(tmp_path, source, idiomatic=False)
    assert [(rule, line) for _, rule, line, _ in found] == [("date-text", "4"), ("order", "5")]
    assert found[1][3].startswith("2 statements read")


def test_a_module_without_tables_spells_as_sqlite_does() -> None:
    text = TARGETS[Driver.PSYCOPG].support(coroutines=False)
    assert '"timestamp": "YYYY-MM-DD HH:MM:SS",\n' in text
    assert '_ZONE = ""\n' in text
