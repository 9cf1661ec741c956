"""The way back: what came out of a SQLite file goes into one again, and is what it was, value by value.

The files are compared by the standard library's SQLite, which shares nothing with the migrator's.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .databases import NAMES, build
from .moving import move_all
from .terminal import Answer, migrator

Contents = dict[str, list[tuple[Any, ...]]]


def bring_back(database: str, file: Path, *options: str | Path) -> Answer:
    """`migrator run DATABASE FILE`, with the run folders beside the file."""
    return migrator("run", database, file, "--run-dir", file.parent / "runs", *options)


def contents(path: Path) -> Contents:
    """Every row of every table as storage classes and bytes, without an order."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        return {table: sorted(_rows(db, table), key=repr) for table in _tables(db)}


def _tables(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("PRAGMA main.table_list").fetchall()
    return sorted(row[1].decode() for row in rows if row[2] == b"table" and not row[1].startswith(b"sqlite_"))


def _rows(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    name = '"' + table.replace('"', '""') + '"'
    return [tuple(map(_bits, row)) for row in db.execute(f"SELECT * FROM {name}")]


def _bits(value: Any) -> tuple[str, Any]:
    """Text and blob can be told apart by their Python types only with a factory of our own."""
    return ("real", struct.pack("!d", value)) if isinstance(value, float) else (type(value).__name__, value)


def classes(path: Path) -> Contents:
    """typeof() of every value, which Python's types do not tell where texts are read as bytes."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        found: Contents = {}
        for table in _tables(db):
            name = '"' + table.replace('"', '""') + '"'
            columns = [row[1].decode().replace('"', '""') for row in db.execute(f"PRAGMA table_xinfo({name})")]
            typed = ", ".join(f'typeof("{column}"), hex("{column}")' for column in columns) or "1"
            found[table] = sorted(db.execute(f"SELECT {typed} FROM {name}").fetchall(), key=repr)
        return found


def schema(path: Path) -> list[tuple[Any, ...]]:
    """All that sqlite_schema holds, in its own order within each kind."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'"
            " ORDER BY type, name"
        ).fetchall()


def settings(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        names = ("encoding", "user_version", "application_id", "page_size", "auto_vacuum", "journal_mode")
        found = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            found["sequences"] = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return found


def assert_same_files(original: Path, again: Path) -> None:
    assert schema(again) == schema(original)
    assert settings(again) == settings(original)
    assert classes(again) == classes(original)
    assert contents(again) == contents(original)


@pytest.mark.parametrize("name", NAMES)
def test_an_application_comes_back(name: str, database: str, tmp_path: Path) -> None:
    source = build(name, tmp_path)
    move_all(source, database, workers=2)
    answer = bring_back(database, tmp_path / "again.db")
    assert answer.code == 0, answer.all
    assert_same_files(source, tmp_path / "again.db")
