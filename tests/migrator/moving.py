"""Plan, run and verify in one call, in this process: what the command line does, without parsing and printing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit

from migrator import report
from migrator.core.plan import Style
from migrator.core.progress import Silent
from migrator.run_folder import RunFolder
from migrator.steps.carrying import RunResult
from migrator.steps.plan import PlanRequest, make_plan
from migrator.steps.resume import next_attempt
from migrator.steps.run import RunRequest, run
from migrator.steps.verify import Verified, VerifyRequest, verify
from migrator.target.connection import resolve_target


@dataclass(frozen=True)
class Moved:
    """A finished run, and what is needed to verify it once more."""

    source: Path
    database: str
    folder: RunFolder
    result: RunResult
    workers: int = 1

    def verify(self) -> Verified:
        """The proof again, against the source and the target as they are now."""
        target = resolve_target(self.database)
        return verify(
            VerifyRequest(self.source, target, self.folder.path, self.folder.path.parent, self.workers), Silent()
        )

    def differences(self) -> list[str]:
        return [str(difference) for difference in self.verify().proof.differences]

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The entries of rejects.jsonl or healed.jsonl."""
        return list(self.folder.lines(name))


def make_source(path: Path, script: str) -> Path:
    """A database made by that SQL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(script)
    return path


def plan_text(source: Path, style: str = "faithful", existing: str | None = None) -> str:
    """The plan that `migrator plan` would write; with `existing`, that plan after `--refresh`."""
    request = PlanRequest(source, Style(style), profile="none", workers=1)
    return make_plan(request, Silent(), existing).text


def edited(text: str, column: str, **line: Any) -> str:
    """The plan after a person changed the line of that table.column."""
    document = tomlkit.parse(text)
    table, name = column.split(".")
    document["tables"][table]["columns"][name].update(line)  # type: ignore[index, union-attr]
    return tomlkit.dumps(document)


def move(
    source: Path, database: str, *, style: str = "faithful", plan: str | None = None, workers: int = 1, **options: Any
) -> Moved:
    """Run the plan, or the one that the style proposes. `options` are RunRequest's; raises what run does."""
    target = resolve_target(database)
    attempt = next_attempt(target, source, options.pop("runs", source.parent / "runs"))
    file = None
    if plan is not None:
        file = attempt.folder.path.with_name(f"{attempt.run_id}.toml")
        file.write_text(plan, encoding="utf-8")
    request = RunRequest(
        source=source,
        attempt=attempt,
        plan=file,
        planning=PlanRequest(source, Style(style), profile="none", workers=workers),
        outcome=lambda result: report.outcome_body(result, source, target.shown),
        workers=workers,
    )
    result = run(replace(request, **options), Silent())
    return Moved(source, database, attempt.folder, result, workers)


def move_all(source: Path, database: str, **options: Any) -> Moved:
    """As `move`; and then nothing was rejected, nothing healed, and the proof holds when it is repeated."""
    moved = move(source, database, **options)
    assert (moved.result.rejects, moved.result.healed) == (0, 0)
    assert moved.result.proof.holds
    verified = moved.verify()
    assert verified.proof.differences == []
    assert verified.changed == ()
    return moved
