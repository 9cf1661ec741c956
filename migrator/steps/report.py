"""report: what a run has left in its folder, as one whole: what was carried and why so, what not, how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert

from migrator.core.compare import Difference
from migrator.core.decisions import TableDecision
from migrator.core.errors import UsageError
from migrator.core.findings import Finding
from migrator.core.rejects import HealedGroup, RejectGroup, group_healed, group_rejects
from migrator.core.throughput import Arrival, Throughput, measure
from migrator.run_folder import VERSION, RunFolder, find_run_folder
from migrator.steps.covered import Covered


class Ending(StrEnum):
    IN_PLACE = "in place"
    MISMATCH = "mismatch"  # the proof found a difference, and the target was left as it was
    DRY_RUN = "dry run"


@dataclass(frozen=True)
class Compared:
    rows: int
    healed: int
    rejected: int
    differing: int


NOTHING = Compared(0, 0, 0, 0)


@dataclass(frozen=True)
class Proven:
    """The proof as it stands in run.json; `differences` are the first of them."""

    holds: bool
    rows: int
    differing: int
    parts_compared: int
    tables: dict[str, Compared]
    views: dict[str, str]
    differences: list[Difference]


@dataclass(frozen=True)
class Outcome:
    """What a report needs of run.json. Seconds are those of the last attempt."""

    run_id: str
    source: str
    target: str
    schema: str
    attempt: int
    planned: dict[str, int]
    snapshot: str
    tables: int
    rows: int
    rejects: int
    healed: int
    seconds: dict[str, float]
    covered: list[Covered]
    findings: list[Finding]
    proof: Proven

    @property
    def ending(self) -> Ending:
        if self.schema:
            return Ending.IN_PLACE
        return Ending.DRY_RUN if self.proof.holds else Ending.MISMATCH


@dataclass(frozen=True)
class CarriedTable:
    """A table of the plan, and its numbers in the proof."""

    decision: TableDecision
    compared: Compared

    def body(self) -> dict[str, Any]:
        return asdict(self.decision) | asdict(self.compared)


@dataclass(frozen=True)
class RunReport:
    """`said` is run.json: what `migrator run --json` said, with source and target. The rest is the other files."""

    folder: Path
    said: Mapping[str, Any]
    run: Outcome
    begun_at: datetime  # of the first attempt
    tables: tuple[CarriedTable, ...]
    rejects: tuple[RejectGroup, ...]
    healed: tuple[HealedGroup, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def throughput(self) -> Throughput:
        return measure(self.arrivals)

    def body(self) -> dict[str, Any]:
        """All of it as JSON shows it."""
        throughput = self.throughput
        return {
            "folder": str(self.folder),
            "ending": self.run.ending.value,
            "begun_at": self.begun_at.isoformat(),
            "run": {key: value for key, value in self.said.items() if key not in ("version", "standing")},
            "tables": [table.body() for table in self.tables],
            "rejects": [asdict(group) for group in self.rejects],
            "healed": [asdict(group) for group in self.healed],
            "units": [arrival.line() for arrival in self.arrivals],
            "throughput": asdict(throughput) | {"mean": throughput.mean, "peak": throughput.peak},
        }


def report(run: Path | None, runs: Path) -> RunReport:
    """Of that run folder, or of the newest in `runs`. Raises UsageError for one of a run that has not ended."""
    folder = find_run_folder(run, runs, ("plan.toml", "schema.sql"))
    if not folder.read_plan().exists():
        raise UsageError(
            f"{folder.path} is the folder of a way back, and there is no report of those.",
            "Its outcome stands in run.json, what was rejected in rejects.jsonl.",
            "Name the folder of a run or a load.",
        )
    outcome = folder.read_outcome()
    if outcome is None:
        raise UsageError(
            f"The run in {folder.path} has not come to its end: it has left no run.json.",
            "There is nothing to report of a run that goes on, was interrupted, or failed.",
            "Run the same command again, or name another run folder. What was rejected so far: migrator rejects",
        )
    if outcome.get("version") != VERSION:
        raise UsageError(
            f"{folder.path / 'run.json'} has version {outcome.get('version')!r}, and this migrator reads {VERSION}."
        )
    if "run_id" not in outcome:
        raise UsageError(
            f"{folder.path} is the folder of an export: nothing was put into a target.",
            next_step="Load it, and name the run folder of that: migrator load FOLDER TARGET",
        )
    try:
        return _collect(folder, outcome)
    except (ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"The files in {folder.path} are not as the run has written them.",
            f"{type(error).__name__}: {error}.",
            "Somebody has changed one of them, or this copy of the folder is not complete.",
        ) from error


def _collect(folder: RunFolder, said: Mapping[str, Any]) -> RunReport:
    run = convert(said, Outcome)
    decisions = [convert(line, TableDecision) for line in folder.lines("tables.jsonl")]
    return RunReport(
        folder.path,
        said,
        run,
        datetime.strptime(run.run_id[:15], "%Y%m%d_%H%M%S").replace(tzinfo=UTC),
        tuple(CarriedTable(decision, run.proof.tables.get(decision.source, NOTHING)) for decision in decisions),
        tuple(group_rejects(folder.lines("rejects.jsonl"), folder.lines("tables.jsonl"))),
        tuple(group_healed(folder.lines("healed.jsonl"))),
        tuple(convert(line, Arrival) for line in folder.lines("units.jsonl")),
    )
