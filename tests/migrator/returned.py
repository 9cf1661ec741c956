"""A file that came back, and the one that it was: compared by the standard library's SQLite alone."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from migrator.core.plan import ColumnPlan, TablePlan
from migrator.core.plan_file import from_toml
from migrator.run_folder import RunFolder
from migrator.steps.plan import read_schema_of

from .terminal import Answer, migrator

Row = tuple[Any, ...]

SHOP = """
PRAGMA user_version = 42;
PRAGMA application_id = 1234567;
CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL COLLATE NOCASE UNIQUE, since DATETIME,
    score REAL, balance NUMERIC, photo BLOB, any_kind, signed, CHECK (length(name) > 1));
INSERT INTO customers VALUES (1, 'Ada', '2026-01-01 10:00:00', 1.5, 10, x'00ff', 7, -0.0),
    (2, 'Bob', NULL, 1e308, 0.1, NULL, 2.5, 0.0), (50, 'Eve', '2026-12-31 23:59:59', -1.0, -3, x'', 1.0, 3.5);
DELETE FROM customers WHERE id = 50;
CREATE TABLE orders (customer INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    at TEXT DEFAULT CURRENT_TIMESTAMP, total REAL, doubled REAL GENERATED ALWAYS AS (total * 2) VIRTUAL);
INSERT INTO orders (customer, at, total) VALUES (1, '2026-01-02', 9.5), (1, '2026-01-02', 9.5), (2, '', 0.0);
CREATE TABLE codes (country TEXT, code INTEGER, label TEXT, PRIMARY KEY (country, code)) WITHOUT ROWID;
INSERT INTO codes VALUES ('de', 1, 'eins'), ('fr', 1, 'un');
CREATE TABLE firm (id INTEGER PRIMARY KEY, note TEXT, size REAL, what ANY) STRICT;
INSERT INTO firm VALUES (1, 'x', 2, 5), (2, NULL, NULL, 6);
CREATE INDEX orders_by_day ON orders (substr(at, 1, 10), total DESC) WHERE total > 0;
CREATE UNIQUE INDEX one_label ON codes (label COLLATE NOCASE);
CREATE VIEW spent AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE TRIGGER watch AFTER INSERT ON orders WHEN new.total > 100 BEGIN UPDATE customers SET score = 0; END;
"""


def execute(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]  # of this file


def findings(answer: Answer) -> set[tuple[str, str]]:
    return {(item["rule"], item["where"]) for item in json.loads(answer.out)["findings"]}


def bring_back(database: str, file: Path, *options: str | Path) -> Answer:
    """`migrator run DATABASE FILE`, with the run folders beside the file."""
    return migrator("run", database, file, "--run-dir", file.parent / "runs", *options)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Every value comes as (storage class, bytes or bits), so that == is exact."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = lambda raw: ("text", raw)
        db.create_function("meaning", 1, meaning, deterministic=True)
        yield db


def bits(value: Any) -> Any:
    return ("real", struct.pack("!d", value)) if isinstance(value, float) else value


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("PRAGMA main.table_list").fetchall()
    return sorted(row[1] for row in rows if row[2] == "table" and not row[1].startswith("sqlite_"))


def rows_of(path: Path, table: str, columns: str = "*") -> Counter[Row]:
    with opened(path) as db:
        return Counter(tuple(map(bits, row)) for row in db.execute(f"SELECT {columns} FROM {quoted(table)}"))


def schema(path: Path) -> list[Row]:
    """All that sqlite_schema holds, but for what ANALYZE made."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    return [row for row in rows if not row[1].startswith("sqlite_stat")]


def settings(path: Path) -> dict[str, Any]:
    """What a file says of itself, and where AUTOINCREMENT goes on."""
    names = ("encoding", "user_version", "application_id", "page_size", "auto_vacuum", "journal_mode")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        found = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            found["sequences"] = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return found


def assert_same_files(original: Path, again: Path) -> None:
    assert schema(again) == schema(original)
    assert settings(again) == settings(original)
    for table in tables(original):
        assert rows_of(again, table) == rows_of(original, table), table


def wrong_values(folder: RunFolder, source: Path, again: Path) -> list[str]:
    """What is not as it was: of every value that the plan calls lossless; of what it normalises, the meaning.

    Rows that the run rejected are missing, what it dropped is NULL, and columns in which it healed something are left
    out.
    """
    plan = from_toml(folder.read_plan().read_text(encoding="utf-8"), read_schema_of(source))
    rejects, healed = list(folder.lines("rejects.jsonl")), list(folder.lines("healed.jsonl"))
    wrong = []
    for table in plan.carried:
        if table.query:
            continue
        changed = {line["column"] for line in healed if line["table"] == table.source}
        parts = [_projected(column) for column in table.carried if column.source not in changed]
        columns = ", ".join([*parts, *(["rowid"] if table.rowid else [])]) or "1"
        ours, theirs = rows_of(source, table.source, columns), rows_of(again, table.source, columns)
        lost = sum(line["table"] == table.source for line in rejects)
        if theirs - ours or (ours - theirs).total() != lost:
            wrong.append(f"{table.source}: {[*(theirs - ours)][:3]} instead of {[*(ours - theirs)][:3]}")
        wrong += [f"{table.source}: something in a dropped column" for _ in _filled(table, again)]
    return wrong


def _projected(column: ColumnPlan) -> str:
    name = quoted(column.source)
    return name if column.conversion().lossless else f"meaning({name})"


def _filled(table: TablePlan, path: Path) -> Iterator[ColumnPlan]:
    for column in table.columns:
        if column.drop and set(rows_of(path, table.source, quoted(column.source))) - {(None,)}:
            yield column


def meaning(value: Any) -> Any:
    """What JSON means; anything else as it is."""
    try:
        parsed = json.loads(value, parse_float=Decimal)
    except (ValueError, TypeError):
        return value
    return json.dumps(parsed, sort_keys=True, default=lambda number: str(number.normalize()))
