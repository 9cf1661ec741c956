"""Applications of the shape of real systems: tests/fixtures/applications, copied, given their database, and driven."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "fixtures" / "applications"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))

# What is about an application and no part of it: a copy holds the program alone, to be audited, rewritten and run.
_ABOUT = ("schema.sql", "rows.sql", "database", "drive.py", "expected.json")


@dataclass(frozen=True)
class Application:
    name: str

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    def expected(self) -> dict[str, list[dict[str, Any]]]:
        """Returns accesses, endpoints, jobs and hazards, as the README of the fixtures defines them."""
        expected: dict[str, list[dict[str, Any]]] = json.loads((self.folder / "expected.json").read_text("utf-8"))
        return expected

    def copy_to(self, folder: Path) -> Copy:
        """Copies the program into a folder that does not exist yet."""
        shutil.copytree(self.folder, folder, ignore=self._left_out)
        return Copy(self, folder)

    def _left_out(self, folder: str, _: list[str]) -> set[str]:
        return {"__pycache__", *(_ABOUT if Path(folder) == self.folder else ())}


@dataclass(frozen=True)
class Copy:
    application: Application
    root: Path

    @property
    def database(self) -> Path:
        """Where the program looks for its SQLite file."""
        return self.root / (self.application.folder / "database").read_text("utf-8").strip()

    def make_database(self) -> Path:
        self.database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.database)) as db:
            for script in ("schema.sql", "rows.sql"):
                db.executescript((self.application.folder / script).read_text("utf-8"))
            db.commit()
        return self.database

    def drive(self, env: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Returns the answers to all requests; raises AssertionError with the program's own words if it falls over."""
        # drive.py comes through standard input, so that modules are found in the copy and not beside drive.py.
        script = (self.application.folder / "drive.py").read_text("utf-8")
        done = subprocess.run(
            [sys.executable, "-"],
            check=False, capture_output=True, encoding="utf-8", timeout=120,
            input=script, cwd=self.root, env=_environment(env or {}),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # Only the caller says which database it is, and no cache is left among the files of the copy.
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", **more}
