"""Small programs with one way each of using sqlite3, before and after a rewrite: tests/fixtures/programs.

A function whose name begins with `test_` is a program: it is called with a database of its own in `app.db`, and gives
an answer. A comment above it, `# reported: rule, rule`, says what the rewrite leaves to a person there; a program
without one has to give the same answer in PostgreSQL.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "fixtures" / "programs"
_REPORTED = re.compile(r"# reported: (.*)")

# Comes through standard input. Each program gets its database before its module is imported.
_DRIVER = """
import gc, importlib, json, os, shutil, sys
sys.path.insert(0, "")
answers = {}
for name, place in json.load(open(sys.argv[1], encoding="utf-8")).items():
    module, _, function = name.partition(".")
    if place.startswith("postgresql:"):
        os.environ["DATABASE_URL"] = place
    else:
        shutil.copy(place, "app.db")
    for known in [known for known in sys.modules if known == module]:
        del sys.modules[known]
    try:
        answers[name] = repr(getattr(importlib.import_module(module), function)())
    except Exception as error:
        answers[name] = "raised: " + type(error).__name__ + ": " + str(error).split("\\n")[0]
    gc.collect()
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Program:
    module: str
    function: str
    first: int
    last: int
    reported: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function}"

    def holds(self, where: str) -> bool:
        """Whether `file:line` is a place in it."""
        file, _, line = where.rpartition(":")
        return file == f"{self.module}.py" and self.first <= int(line) <= self.last


def programs(folder: Path = FOLDER) -> list[Program]:
    return [program for path in sorted(folder.glob("*.py")) for program in _programs_in(path)]


def _programs_in(path: Path) -> Iterator[Program]:
    """What stands between two programs belongs to the second."""
    text = path.read_text(encoding="utf-8")
    first = 1
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            last = node.end_lineno or node.lineno
            above = "\n".join(text.split("\n")[first - 1 : node.lineno])
            found = _REPORTED.search(above)
            yield Program(path.stem, node.name, first, last, frozenset(found[1].split(", ") if found else ()))
            first = last + 1


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


def findings_of(program: Program, findings: Sequence[Mapping[str, str]]) -> set[str]:
    """The rules of what a person has to do in it."""
    return {item["rule"] for item in findings if item["severity"] != "note" and program.holds(item["where"])}
