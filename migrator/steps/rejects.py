"""rejects: what a run could not load, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migrator.core.rejects import RejectGroup, group_rejects
from migrator.run_folder import find_run_folder


@dataclass(frozen=True)
class Rejected:
    """`file` holds every row by itself, one line of JSON each. A way back has no plan; `ended`: it has an outcome."""

    file: Path
    plan: Path | None
    ended: bool
    groups: list[RejectGroup]

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


def rejects(run: Path | None, runs: Path) -> Rejected:
    """Of that run folder, or of the newest in `runs`. Raises UsageError where there is none."""
    folder = find_run_folder(run, runs, ("plan.toml", "schema.sql"))
    plan = folder.read_plan() if folder.read_plan().exists() else None
    groups = group_rejects(folder.lines("rejects.jsonl"), folder.lines("tables.jsonl"))
    return Rejected(folder.path / "rejects.jsonl", plan, folder.read_outcome() is not None, groups)
