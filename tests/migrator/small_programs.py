"""Small programs with one way each of using sqlite3, before and after a rewrite: tests/fixtures/programs.

Each file has a function main(), which is called with a database of its own in `app.db` and gives an answer. A first
line `# reported: rule, rule` says what the rewrite leaves to a person there; a program without one has to give the same
answer in PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "fixtures" / "programs"
_REPORTED = "# reported: "

# Comes through standard input. Each program gets its database before it is imported.
_DRIVER = """
import gc, importlib, json, os, shutil, sys
sys.path.insert(0, "")
answers = {}
for name, place in json.load(open(sys.argv[1], encoding="utf-8")).items():
    if place.startswith("postgresql:"):
        os.environ["DATABASE_URL"] = place
    else:
        shutil.copy(place, "app.db")
    try:
        answers[name] = repr(importlib.import_module(name).main())
    except Exception as error:
        answers[name] = "raised: " + type(error).__name__ + ": " + str(error).split("\\n")[0]
    gc.collect()
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Program:
    name: str
    reported: frozenset[str]


def programs(folder: Path = FOLDER) -> list[Program]:
    return [_program(path) for path in sorted(folder.glob("*.py"))]


def _program(path: Path) -> Program:
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    rules = first.removeprefix(_REPORTED).split(", ") if first.startswith(_REPORTED) else ()
    return Program(path.stem, frozenset(rules))


def copy_to(folder: Path, source: Path = FOLDER) -> Path:
    """The programs alone, without what makes their database."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("schema.sql", "__pycache__"))
    return folder


def make_database(path: Path, source: Path = FOLDER) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript((source / "schema.sql").read_text(encoding="utf-8"))
        db.commit()
    return path


def answers(folder: Path, places: Mapping[str, str]) -> dict[str, str]:
    """What every program in the folder answers; `places` are their databases: a file that is copied, or a URL."""
    given = folder / "places.json"
    given.write_text(json.dumps(dict(places)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-", given.name],
        check=False, capture_output=True, encoding="utf-8", timeout=300, input=_DRIVER, cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "PGOPTIONS": "-c lock_timeout=3s"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def same(before: str, after: str) -> bool:
    """Drivers raise other exceptions with other words."""
    return before == after or (before.startswith("raised") and after.startswith("raised"))


def rules_of(program: Program, findings: Iterable[Mapping[str, str]]) -> set[str]:
    """The rules of what a person has to do in it."""
    mine = (item for item in findings if item["where"].startswith(f"{program.name}.py:"))
    return {item["rule"] for item in mine if item["severity"] != "note"}
