"""What a rewrite says of values that may become others: by the columns that they come from and go to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath

import pytest

from migrator.core.audit.codebase import Codebase
from migrator.core.plan import Style
from migrator.core.plan_file import to_toml
from migrator.core.progress import Silent
from migrator.core.python.modules import read_module
from migrator.core.recoding.recode import Recoder, Recoding
from migrator.core.recoding.target import TARGETS
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.steps.definitions import Tables
from migrator.steps.plan import PlanRequest, make_plan

SCHEMA = """
CREATE TABLE e (
    id INTEGER PRIMARY KEY, at TEXT, utc TEXT, tags TEXT, doc TEXT, uid TEXT, active TEXT, price DECIMAL(8,2)
);
INSERT INTO e VALUES (1, '2024-01-01 10:00:00', '2024-01-01T09:00:00Z', '["a","b"]', '{"b":1}',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'true', 1.5);
INSERT INTO e VALUES (2, '2024-07-01 10:00:00', '2024-07-01T08:00:00Z', '[]', '{"a":2}',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12', 'false', 2.5);
CREATE TABLE plain (id INTEGER PRIMARY KEY, day DATE, thing, pic BLOB);
INSERT INTO plain VALUES (1, '2024-01-01', 'x', x'00');
"""
HEAD = "import sqlite3\nc = sqlite3.connect('app.db')\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("values") / "app.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA)
    return path


@pytest.fixture(scope="module")
def idiomatic(database: Path) -> Definitions:
    plan = make_plan(PlanRequest(database, Style.IDIOMATIC, zone="Europe/Berlin", workers=1), Silent()).plan
    path = database.with_name("plan.toml")
    path.write_text(to_toml(plan), encoding="utf-8")
    return Tables(database, path).read((), Silent())


@pytest.fixture(scope="module")
def faithful(database: Path) -> Definitions:
    return Tables(database).read((), Silent())


def recoded(source: str, definitions: Definitions) -> Recoding:
    module = read_module(PurePosixPath("app.py"), HEAD + source)
    return Recoder(Codebase([module]), definitions, TARGETS[Driver.PSYCOPG]).recode()


def told(source: str, definitions: Definitions) -> list[tuple[str, str, str]]:
    """Severity, rule and column of each finding."""
    found = [item for item in recoded(source, definitions).findings if item.rule != "given-id"]
    return [(item.severity.value, item.rule, _column(item.message)) for item in found]


def _column(message: str) -> str:
    return next((word.rstrip(",.:") for word in message.split() if word.startswith(("e.", "plain."))), "")


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
def test_columns_of_postgresqls_own_types(
    source: str, expected: list[tuple[str, str, str]], idiomatic: Definitions
) -> None:
    assert told(source, idiomatic) == expected


def test_the_module_knows_the_zone_of_the_plan(idiomatic: Definitions) -> None:
    spellings = recoded(IDIOMATIC[0][0], idiomatic).spellings
    assert spellings.zone == "Europe/Berlin"
    assert '_ZONE = "Europe/Berlin"' in TARGETS[Driver.PSYCOPG].support(coroutines=False, spellings=spellings)


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
def test_columns_of_the_declared_types(
    source: str, expected: list[tuple[str, str, str]], faithful: Definitions
) -> None:
    assert sorted(told(source, faithful)) == sorted(expected)


MANY = """
for x in range(3):
    c.execute('UPDATE plain SET day = ?', (x,))
c.execute('SELECT id FROM plain')
c.execute('INSERT INTO plain (day) VALUES (?)', (x,))
c.execute('SELECT * FROM e')
"""


def test_each_column_is_told_once_and_the_order_once_for_the_program(faithful: Definitions) -> None:
    found = recoded(MANY, faithful).findings
    assert [(item.rule, item.where) for item in found] == [("date-text", "app.py:5"), ("order", "app.py:6")]
    assert found[1].message.startswith("2 statements read")


def test_a_module_without_tables_spells_as_sqlite_does() -> None:
    text = TARGETS[Driver.PSYCOPG].support(coroutines=False)
    assert '"timestamp": "YYYY-MM-DD HH:MM:SS",\n' in text
    assert '_ZONE = ""\n' in text
