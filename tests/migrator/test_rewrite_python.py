"""Whole programs, before on SQLite and after on PostgreSQL: the same requests get the same answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tomlkit

from .applications import NAMES, Application, Copy
from .moving import move, plan_text

COMPAT = Path(__file__).parents[2] / "migrator" / "core" / "sql" / "sqlite_compat.sql"


def dates_stay_text(plan: str) -> str:
    """What somebody decides whose program reads dates as the texts that SQLite kept."""
    document: Any = tomlkit.parse(plan)
    for table in document["tables"].values():
        for column in table.get("columns", {}).values():
            if column["type"].split("(")[0] in ("date", "time", "timestamp", "timestamptz"):
                column["type"] = "text"
    return tomlkit.dumps(document)


def moved(copy: Copy, database: str, folder: Path) -> Path:
    """The program's database in PostgreSQL, with the function pack; returns the plan by which it was moved."""
    plan = folder / "plan.toml"
    plan.write_text(dates_stay_text(plan_text(copy.database)), encoding="utf-8")
    move(copy.database, database, plan=plan.read_text(encoding="utf-8"))
    with psycopg.connect(database) as connection:
        connection.execute(COMPAT.read_bytes())
    return plan


def migrator(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "migrator", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=300)


@pytest.mark.parametrize("name", NAMES)
def test_a_rewritten_program_gives_the_same_answers(name: str, database: str, tmp_path: Path) -> None:
    before = Application(name).copy_to(tmp_path / "before")
    before.make_database()
    after = Application(name).copy_to(tmp_path / "after")
    after.make_database()
    plan = moved(after, database, tmp_path)
    done = migrator("rewrite", "python", after.root, "--db", after.database, "--plan", plan, "--write")
    assert done.returncode in (0, 7), done.stderr
    after.database.unlink()
    assert after.drive({"DATABASE_URL": database}) == before.drive()
