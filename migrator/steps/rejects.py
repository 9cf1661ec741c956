"""rejects: what a run could not load, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.rejects import RejectGroup, group_rejects
from migrator.run_folder import RunFolder


@dataclass(frozen=True)
class Rejected:
    """`file` holds every row by itself, one line of JSON each. A way back has no plan."""

    file: Path
    plan: Path | None
    groups: list[RejectGroup]

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


def rejects(run: Path | None, runs: Path) -> Rejected:
    """Of that run folder, or of the newest in `runs`. Raises UsageError where there is none."""
    folder = RunFolder(run or _newest(runs))
    if not _is_run(folder.path):
        raise UsageError(f"{folder.path} is not the folder of a run.", next_step="Name one: migrator rejects FOLDER")
    plan = folder.read_plan() if folder.read_plan().exists() else None
    return Rejected(folder.path / "rejects.jsonl", plan, group_rejects(folder.lines("rejects.jsonl")))


def _is_run(path: Path) -> bool:
    return any((path / name).exists() for name in _LEFT)


_LEFT = ("plan.toml", "schema.sql")  # what a run, and a way back, leave first


def _newest(runs: Path) -> Path:
    folders = [path for path in runs.glob("*") if _is_run(path)]
    if not folders:
        raise UsageError(f"There is no run in {runs}.", next_step="Name its folder: migrator rejects FOLDER")
    return max(folders, key=lambda path: max((path / name).stat().st_mtime for name in _LEFT if (path / name).exists()))
