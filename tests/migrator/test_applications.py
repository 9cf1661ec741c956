"""The applications run on SQLite as they are, say the same every time, and their expectations point into them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .applications import NAMES, Application

NAMED = pytest.mark.parametrize("name", NAMES)


def _driven(name: str, root: Path) -> list[dict[str, Any]]:
    copy = Application(name).copy_to(root)
    copy.make_database()
    return copy.drive()


@NAMED
def test_application_answers_the_same_twice(name: str, tmp_path: Path) -> None:
    answers = _driven(name, tmp_path / "once")
    assert 25 <= len(answers) <= 60
    assert [answer for answer in answers if answer["status"] >= 500] == []
    assert _driven(name, tmp_path / "again") == answers


@NAMED
def test_copy_holds_the_program_alone(name: str, tmp_path: Path) -> None:
    copy = Application(name).copy_to(tmp_path / "copy")
    copy.make_database()
    copy.drive()
    names = {path.name for path in copy.root.rglob("*")}
    assert {"drive.py", "expected.json", "schema.sql", "rows.sql", "__pycache__"}.isdisjoint(names)
    assert copy.database.name in names


def _functions(path: Path) -> set[str]:
    """Returns the qualified names of all functions, and what stands for the code outside them."""
    if path.suffix == ".sql":
        return {"<file>"}
    return {"<module>", *_within(ast.parse(path.read_text("utf-8")), "")}


def _within(tree: ast.AST, outer: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        name = f"{outer}{node.name}" if named else ""
        if name:
            yield name
        yield from _within(node, f"{name}." if name else outer)


@NAMED
def test_expectations_point_into_the_program(name: str, tmp_path: Path) -> None:
    application = Application(name)
    root = application.copy_to(tmp_path / "copy").root
    for kind, entries in application.expected().items():
        for entry in entries:
            path = root / entry["file"]
            assert path.read_text("utf-8").splitlines()[entry["line"] - 1].strip(), entry
            assert kind in ("hazards", "jobs") or entry["function"] in _functions(path), entry
        assert len({str(entry) for entry in entries}) == len(entries), kind
