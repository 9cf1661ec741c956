"""Who is measured: how each is started, and what is read off it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.copying import create_bare_table
from benchmarks.server import Server
from benchmarks.watch import Watched, watch

DATABASE = "bench"
_CARRIED_TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE 'sqlite\\_%'
  AND NOT starts_with(schemaname, 'migrator_journal_')
"""


class BenchmarkFailed(Exception):
    """A contender did not do what it should; the text is for a person."""


class Scope(StrEnum):
    """What a contender moves: rows of different scopes cannot be compared."""

    STATES = "states"
    DATABASE = "database"
    CENSUS = "census"


@dataclass(frozen=True)
class Stage:
    """What all contenders are given. `rows` says how many there are per scope."""

    source: Path
    plan: Path
    binary: Path
    export: Path
    server: Server
    work: Path
    rows: Mapping[Scope, int]

    @property
    def url(self) -> str:
        return self.server.url(DATABASE)


@dataclass(frozen=True)
class Sample:
    """One measurement. `rows` are those that are in the target afterwards; seconds per phase are in `phases`."""

    seconds: float
    cpu_s: float | None = None
    peaks_bytes: tuple[int, ...] = ()
    rows: int = 0
    phases: Mapping[str, float] = field(default_factory=dict)
    server_cpu_s: float | None = None


@dataclass(frozen=True)
class Contender:
    """`command` is what the reader of the report sees."""

    key: str
    label: str
    scope: Scope
    command: str
    measure: Callable[[Stage], Sample]


def contenders(with_pgloader: bool) -> Sequence[Contender]:
    """In the order of the report."""
    chosen = [
        Contender("limit", "the limit: psycopg, raw write of a ready file", Scope.STATES,
                  "python -m benchmarks.limit states.bin URL", _limit),
        Contender("copy-2", "Migrator's copy, 2 processes", Scope.STATES,
                  "python -m benchmarks.copying recorder.db plan.toml URL 2", lambda stage: _copy(stage, 2)),
        Contender("copy-1", "Migrator's copy, 1 process", Scope.STATES,
                  "python -m benchmarks.copying recorder.db plan.toml URL 1", lambda stage: _copy(stage, 1)),
        Contender("whole", "the limit of the whole: ready files, the same indexes and keys, 2 connections",
                  Scope.DATABASE, "python -m benchmarks.whole recorder-export URL 2", _whole),
        Contender("run", "migrator run, with verification", Scope.DATABASE,
                  "migrator run recorder.db URL --plan plan.toml --replace --yes --json", _run),
        Contender("census", "migrator inspect: the census", Scope.CENSUS,
                  "migrator inspect recorder.db --json", _inspect),
    ]  # fmt: skip
    if with_pgloader:
        chosen.append(
            Contender(
                "pgloader", "pgloader, which verifies nothing", Scope.DATABASE, "pgloader recorder.db URL", _pgloader
            )
        )
    return chosen


def _limit(stage: Stage) -> Sample:
    return _copying(stage, "benchmarks.limit", stage.binary, stage.url)


def _copy(stage: Stage, processes: int) -> Sample:
    return _copying(stage, "benchmarks.copying", stage.source, stage.plan, stage.url, processes)


def _copying(stage: Stage, module: str, *arguments: object) -> Sample:
    """By the program's own clock, which leaves out the interpreter's start."""
    create_bare_table(stage.source, stage.plan, stage.url)
    done = python(stage.work, module, *arguments)
    copied = json.loads(done.stdout)
    phases = {"start": copied["start_s"], "copy": copied["seconds"]}
    return _arrived(stage, Scope.STATES, replace(_sample(done), seconds=copied["seconds"], phases=phases))


def _whole(stage: Stage) -> Sample:
    """By the program's own clock, from the first byte that is copied."""
    done = python(stage.work, "benchmarks.whole", stage.export, stage.url, 2)
    phases = json.loads(done.stdout)
    seconds = phases.pop("seconds")
    return _arrived(stage, Scope.DATABASE, replace(_sample(done), seconds=seconds, phases=phases))


def _run(stage: Stage) -> Sample:
    options = ["--plan", stage.plan, "--replace", "--yes", "--json", "--run-dir", stage.work / "runs"]
    done = python(stage.work, "migrator", "run", stage.source, stage.url, *options)
    phases = json.loads(done.stdout)["seconds"]
    return _arrived(stage, Scope.DATABASE, replace(_sample(done), phases=phases))


def _inspect(stage: Stage) -> Sample:
    done = python(stage.work, "migrator", "inspect", stage.source, "--json")
    rows = sum(table["rows"] or 0 for table in json.loads(done.stdout)["tables"])
    return _complete(stage, Scope.CENSUS, replace(_sample(done), rows=rows))


def _pgloader(stage: Stage) -> Sample:
    """It exits with 0 whatever it loaded, so the rows are counted and shown, and not insisted on."""
    command = ["pgloader", "--root-dir", str(stage.work / "pgloader"), str(stage.source)]
    command.append(stage.server.pgloader_url(DATABASE))
    done = _checked(command, watch(command, stage.work))
    rows = count_rows(stage.url)
    if not rows:
        raise BenchmarkFailed(f"pgloader loaded no row:\n{done.stdout}{done.stderr}")
    return replace(_sample(done), rows=rows)


def python(folder: Path, module: str, *arguments: object, expected: int = 0) -> Watched:
    """Run one of our own modules to its end. Raises BenchmarkFailed with its output if it ends in another way."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return _checked(command, watch(command, folder), expected)


def _checked(command: Sequence[object], done: Watched, expected: int = 0) -> Watched:
    if done.exit_code != expected:
        shown = " ".join(map(str, command))
        raise BenchmarkFailed(f"{shown}\nended with {done.exit_code}:\n{done.stdout}{done.stderr}")
    return done


def _sample(done: Watched) -> Sample:
    return Sample(done.wall_s, done.cpu_s, done.peaks_bytes)


def _arrived(stage: Stage, scope: Scope, sample: Sample) -> Sample:
    return _complete(stage, scope, replace(sample, rows=count_rows(stage.url)))


def _complete(stage: Stage, scope: Scope, sample: Sample) -> Sample:
    if sample.rows != stage.rows[scope]:
        raise BenchmarkFailed(f"{sample.rows:,} rows arrived of {stage.rows[scope]:,}.")
    return sample


def count_rows(url: str) -> int:
    """The rows of all tables that are neither PostgreSQL's own nor SQLite's, which pgloader carries too."""
    total = 0
    with psycopg.connect(url) as connection:
        for names in connection.execute(_CARRIED_TABLES).fetchall():
            counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*names))).fetchone()
            total += counted[0] if counted else 0
    return total


def clear(stage: Stage) -> None:
    """Remove what the contenders leave beside their results: run folders, logs."""
    for path in stage.work.iterdir():
        shutil.rmtree(path, ignore_errors=True)


def rows_of(inspection: Mapping[str, Any]) -> Mapping[Scope, int]:
    """Rows per scope, from the JSON of `migrator inspect`."""
    rows = {table["name"]: table["rows"] for table in inspection["tables"] if table["rows"] is not None}
    return {Scope.STATES: rows["states"], Scope.DATABASE: sum(rows.values()), Scope.CENSUS: sum(rows.values())}
