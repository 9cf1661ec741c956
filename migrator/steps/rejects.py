"""rejects: what a run could not load, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.rejects import RejectGroup, group_rejects
from migrator.run_folder import RunFolder


@dataclass(frozen=True)
class Rejected:
    """`file` holds every row by itself, one line of JSON each."""

    file: Path
    plan: Path
    groups: list[RejectGroup]

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


def rejects(run: Path | None, runs: Path) -> Rejected:
    """Of that run folder, or of the newest in `runs`. Raises UsageError where there is none."""
    folder = RunFolder(run or _newest(runs))
    if not folder.read_plan().exists():
        raise UsageError(f"{folder.path} is not the folder of a run.", next_step="Name one: migrator rejects FOLDER")
    return Rejected(folder.path / "rejects.jsonl", folder.read_plan(), group_rejects(folder.lines("rejects.jsonl")))


def _newest(runs: Path) -> Path:
    folders = [path for path in runs.glob("*") if (path / "plan.toml").exists()]
    if not folders:
        raise UsageError(f"There is no run in {runs}.", next_step="Name its folder: migrator rejects FOLDER")
    return max(folders, key=lambda path: (path / "plan.toml").stat().st_mtime)
