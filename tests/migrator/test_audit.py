"""An audit of whole applications finds what a person found in them, all of it and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.core.audit.result import Audit, Door
from migrator.core.model import fold
from migrator.core.progress import Silent
from migrator.steps.audit import AuditRequest, make_audit
from migrator.steps.definitions import Tables

from .applications import NAMES, Application

Found = set[tuple[Any, ...]]
_KEYS = {
    "accesses": ("file", "line", "function", "table", "operation"),
    "endpoints": ("method", "path", "file", "line", "function", "reads", "writes"),
    "jobs": ("trigger", "function", "file", "line"),
    "hazards": ("rule", "file", "line"),
}


def _expected(application: Application) -> dict[str, Found]:
    listed = application.expected()
    return {kind: {_row(item, keys) for item in listed[kind]} for kind, keys in _KEYS.items()}


def _row(item: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(tuple(item[key]) if isinstance(item[key], list) else item[key] for key in keys)


def _found(audit: Audit) -> dict[str, Found]:
    accesses = {
        (place.file, place.line, place.function, fold(table.name), operation)
        for table in audit.tables
        for operation, places in (("read", table.read_by), ("write", table.written_by))
        for place in places
    }
    return {
        "accesses": accesses,
        "endpoints": {(door.method, door.path, *_place(door), door.reads, door.writes) for door in audit.endpoints},
        "jobs": {(door.method, door.place.function, *_registered(door)) for door in audit.jobs},
        "hazards": {(hazard.rule, hazard.file, hazard.line) for hazard in audit.hazards},
    }


def _place(door: Door) -> tuple[str, int, str]:
    return door.place.file, door.place.line, door.place.function


def _registered(job: Door) -> tuple[str, int]:
    file, _, line = job.path.rpartition(":")
    return file, int(line)


def _share(right: int, total: int) -> str:
    return f"{right / total:.3f}" if total else "    -"


@pytest.mark.parametrize("name", NAMES)
def test_precision_and_recall_of_an_application(name: str, tmp_path: Path) -> None:
    copy = Application(name).copy_to(tmp_path / "program")
    audit = make_audit(AuditRequest((copy.root,), Tables()), Silent())
    expected, found = _expected(copy.application), _found(audit)

    for kind in _KEYS:
        right = len(found[kind] & expected[kind])
        precision, recall = _share(right, len(found[kind])), _share(right, len(expected[kind]))
        print(f"{name:16} {kind:10} {len(expected[kind]):4}  precision {precision}  recall {recall}")
    assert found == expected
    assert audit.unread == ()
