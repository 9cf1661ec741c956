"""The run folder: the plan that was carried out, what was rejected and healed, and the outcome.

plan.toml       the plan as it was
tables.jsonl    one table per line: what became of it and of its columns, and why
original.json   the source's schema as SQLite holds it: what the way back makes its file from
shapes.json     the tables that a known application makes, where a profile had a part
rejects.jsonl   one row per line: table, key, column, storage class, value in hexadecimal, reason
healed.jsonl    one healed value per line: table, key, column, policy
units.jsonl     one table or range of rows that has arrived per line: its rows, when its copy began and ended
schema.sql      of a way back, which has no plan: the statements that made the file
run.json        the outcome, also of a dry run and of a run that found a difference; its shape has a version
report.html     what migrator report makes of all this
lock            held by the process that is at work
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from migrator.core.errors import Failure, UsageError
from migrator.disk import lock_folder, write_whole, writing

VERSION = 1
ADVICE = "Choose another place with --run-dir."


@dataclass
class RunFolder:
    """`made` are the folders that did not exist before this run, the innermost first."""

    path: Path
    made: tuple[Path, ...] = ()
    lock: IO[str] | None = None  # held until the process ends, however that happens

    def write_plan(self, text: str) -> None:
        self._write("plan.toml", text)

    def write_shapes(self, text: str) -> None:
        self._write("shapes.json", text)

    def write_original(self, text: str) -> None:
        self._write("original.json", text)

    def read_original(self) -> str | None:
        with suppress(FileNotFoundError):
            return (self.path / "original.json").read_text(encoding="utf-8")
        return None

    def write_schema(self, text: str) -> None:
        """The statements that made the file of a way back."""
        self._write("schema.sql", text)

    def read_shapes(self) -> str | None:
        with suppress(FileNotFoundError):
            return (self.path / "shapes.json").read_text(encoding="utf-8")
        return None

    def write_lines(self, name: str, lines: Iterable[str]) -> int:
        """Write that file anew, and return how many lines there are; none are no file."""
        path = self.path / name
        count = 0
        with writing(path, ADVICE):
            with path.open("w", encoding="utf-8") as file:
                for line in lines:
                    file.write(line + "\n")
                    count += 1
            if not count:
                path.unlink()
        return count

    def append_lines(self, name: str, lines: Iterable[str]) -> None:
        with writing(path := self.path / name, ADVICE), path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def write_outcome(self, outcome: dict[str, Any]) -> None:
        self._write("run.json", json.dumps({"version": VERSION, **outcome}, indent=2, ensure_ascii=False) + "\n")

    def read_outcome(self) -> dict[str, Any] | None:
        """What an earlier run wrote, or None if it never came so far. An empty schema: nothing was put in place."""
        with suppress(OSError, TypeError, ValueError):
            return dict(json.loads((self.path / "run.json").read_text(encoding="utf-8")))
        return None

    def read_plan(self) -> Path:
        return self.path / "plan.toml"

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The entries of a file with one per line; none where there is no such file."""
        with suppress(FileNotFoundError), (self.path / name).open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def remove_if_empty(self) -> None:
        """Take the folder back where nothing was written: the source or the target turned out to be wrong."""
        with suppress(OSError):
            if self.made and {item.name for item in self.path.iterdir()} <= {"lock"}:
                (self.path / "lock").unlink(missing_ok=True)
                for path in self.made:
                    path.rmdir()

    def _write(self, name: str, text: str) -> None:
        write_whole(self.path / name, text, ADVICE)


def ended_runs(runs: Path) -> list[Path]:
    """The folders of runs that have told an outcome, the newest last: a run's id sorts by time."""
    told = (folder for folder in runs.glob("*-*") if (folder / "run.json").exists())
    return sorted(told, key=lambda folder: folder.name.rpartition("-")[2])


def placed_runs(runs: Path, target: str) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """Those that have put something into that target, as it is shown, with their outcomes; the newest first."""
    for folder in map(RunFolder, reversed(ended_runs(runs))):
        outcome = folder.read_outcome() or {}
        if outcome.get("schema") and outcome.get("target") == target:
            yield folder, outcome


def newest_placed(runs: Path, source: Path, target: str) -> tuple[RunFolder, dict[str, Any]] | None:
    """The newest of them that was of that source."""
    mine = (run for run in placed_runs(runs, target) if run[1].get("source") == str(source.resolve()))
    return next(mine, None)


def find_run_folder(path: Path | None, runs: Path, marks: Sequence[str] = ("plan.toml",)) -> RunFolder:
    """That folder of a run, or the newest in `runs`: one of the `marks` is in it. Raises UsageError."""
    if path is None:
        found = [(mark.stat().st_mtime, folder) for folder in runs.glob("*") for mark in _marked(folder, marks)]
        if not found:
            raise UsageError(
                f"There is no run in {runs}.", next_step="Name the folder of one, or where they are: --run-dir"
            )
        path = max(found)[1]
    if not _marked(path, marks):
        raise UsageError(f"{path} is not the folder of a run.", next_step="Name one; migrator run tells where it is.")
    return RunFolder(path)


def _marked(folder: Path, marks: Sequence[str]) -> list[Path]:
    return [folder / name for name in marks if (folder / name).exists()]


def create_run_folder(parent: Path, source: Path, run_id: str) -> RunFolder:
    """A new folder for this run, readable by its owner only: rejects hold data. Raises Failure."""
    path = parent / f"{source.stem}-{run_id}"
    made = (path,) if parent.exists() else (path, parent)
    try:
        path.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise Failure(f"The run folder {path} cannot be made.", f"{error.strerror}.", ADVICE) from error
    return RunFolder(path, made, lock_folder(path, ADVICE))


def reopen_run_folder(path: Path) -> RunFolder:
    """The folder of an interrupted run, made again where somebody has removed it.

    Raises Failure where another process is at work in it.
    """
    try:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise Failure(f"The run folder {path} cannot be made.", f"{error.strerror}.") from error
    return RunFolder(path, lock=lock_folder(path, ADVICE))


def new_run_id() -> str:
    """Sorts by time, and is a valid part of a schema's name."""
    return datetime.now(UTC).strftime("%Y%m%d_%H%M%S_") + os.urandom(2).hex()
