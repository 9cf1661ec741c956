"""The databases in databases/ are sound and the same on every run, and the merge of Cat-Scan fits its target."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .databases import MERGE, NAMES, build, md5

PLAN: dict[str, dict[str, Any]] = tomllib.loads(MERGE.read_text(encoding="utf-8"))["tables"]
MERGED = {name: table for name, table in PLAN.items() if "source" in table}


def _tables(db: sqlite3.Connection) -> set[str]:
    found = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return {name for (name,) in found}


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in db.execute(f'PRAGMA table_info("{table}")')]


def _count(db: sqlite3.Connection, query: str) -> int:
    count: int = db.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
    return count


@pytest.mark.parametrize("name", NAMES)
def test_database_is_sound(name: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(build(name, tmp_path))) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA journal_mode").fetchone() == (("delete" if name == "chinook" else "wal"),)
        counts = {table: _count(db, f'SELECT 1 FROM "{table}"') for table in _tables(db)}
        for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            assert _count(db, f'SELECT * FROM "{view}"') > 0
    assert all(counts.values()), counts
    assert sum(counts.values()) > 3000, counts


@pytest.mark.parametrize("name", NAMES)
def test_build_is_deterministic_and_scales(name: str, tmp_path: Path) -> None:
    dumps = []
    for folder, scale in (("one", 1), ("again", 1), ("double", 2)):
        (tmp_path / folder).mkdir()
        with closing(sqlite3.connect(build(name, tmp_path / folder, scale))) as db:
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            dumps.append(list(db.iterdump()))
    assert dumps[0] == dumps[1]
    assert len(dumps[2]) > 1.5 * len(dumps[0])


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(build("catscan_legacy", tmp_path_factory.mktemp("legacy")))) as db:
        db.create_function("md5", 1, md5, deterministic=True)
        yield db


@pytest.fixture
def consolidated(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(build("catscan", tmp_path))) as db:
        yield db


def test_merge_accounts_for_every_table(legacy: sqlite3.Connection, consolidated: sqlite3.Connection) -> None:
    covered = [source for table in MERGED.values() for source in table["covers"]]
    dropped = [name for name, table in PLAN.items() if table.get("drop")]
    carried = sorted(_tables(legacy) - {*covered, *dropped})
    assert sorted([*covered, *dropped, *carried]) == sorted(_tables(legacy)), "each source table once"
    assert carried == ["thumbnail_status"]
    assert {*MERGED, *carried} == _tables(consolidated)
    assert len(_tables(legacy)) == 27
    assert len(_tables(consolidated)) == 13


@pytest.mark.parametrize("name", MERGED)
def test_merge_query(name: str, legacy: sqlite3.Connection, consolidated: sqlite3.Connection) -> None:
    table = MERGED[name]
    names = [column for column, *_ in legacy.execute(table["source"]).description]
    assert names == _columns(consolidated, name)
    rows = _count(legacy, table["source"])
    keys = ", ".join(table["key"])
    assert _count(legacy, f"SELECT DISTINCT {keys} FROM ({table['source']})") == rows
    rows_in = sum(_count(legacy, f'SELECT 1 FROM "{source}"') for source in table["covers"])
    assert max(0, rows_in - rows) == table.get("accept_rows_dropped", 0)


def test_merged_rows_fit_the_consolidated_tables(legacy: sqlite3.Connection, consolidated: sqlite3.Connection) -> None:
    queries = {name: table["source"] for name, table in MERGED.items()}
    queries["thumbnail_status"] = "SELECT * FROM thumbnail_status"
    for name in queries:
        consolidated.execute(f'DELETE FROM "{name}"')
    for name, query in queries.items():
        rows = legacy.execute(query).fetchall()
        consolidated.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
    assert consolidated.execute("PRAGMA foreign_key_check").fetchall() == []
