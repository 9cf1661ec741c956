"""Migrator's copy of `states` alone, as a program: `python -m benchmarks.copying FILE PLAN URL PROCESSES`

It fills the bare table that a run makes before its indexes, and prints what it took as JSON. `seconds` runs from the
moment when the workers are started and pinned to the snapshot until the last row is committed; `start_s` is what came
before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from migrator.core.blueprint import Phase
from migrator.core.ddl import build
from migrator.core.model import Schema
from migrator.core.plan import Plan
from migrator.core.plan_file import from_toml
from migrator.source.schema import open_schema
from migrator.steps.building import create_tables
from migrator.target.connection import connect, resolve_target
from migrator.target.journal import Journal
from migrator.tasks.copy import CopyTask
from migrator.tasks.query import RangesTask
from migrator.tasks.table import WorkTable, work_table
from migrator.workers import pinned_workers

TABLE = "states"
JOURNAL = Journal("benchmark")


def create_bare_table(source: Path, plan_file: Path, url: str) -> None:
    """The table `states` as the plan has it, without keys and indexes."""
    target = resolve_target(url)
    with tempfile.TemporaryDirectory() as scratch, open_schema(source, Path(scratch)) as (_, schema):
        plan = from_toml(plan_file.read_text(encoding="utf-8"), schema)
        statements = [item for item in build(schema, plan).phase(Phase.TABLE) if item.table == TABLE]
    with connect(target) as connection:
        create_tables(connection, target, plan.target_schema, statements)
        JOURNAL.discard(connection)
        JOURNAL.create(connection, str(source), "", plan.target_schema, 0)


def copy_states(source: Path, plan_file: Path, url: str, processes: int) -> dict[str, float]:
    """Migrator's own tasks, workers and snapshot; nothing of the copy is written anew here."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, open_schema(source, Path(scratch)) as (path, schema):
        plan = from_toml(plan_file.read_text(encoding="utf-8"), schema)
        table = _states(plan, schema)
        with pinned_workers(processes, path, Path(scratch), resolve_target(url)) as (pool, _):
            ready = time.monotonic()
            [(_, ranges)] = pool.run([RangesTask(table)])
            results = [copied for _, copied in pool.run([CopyTask(table, part, JOURNAL) for part in ranges])]
            ended = time.monotonic()
    if any(copied.rejected for copied in results):
        raise SystemExit("rows were rejected: the recorder's data fit, so this is a defect of the migrator")
    return {"seconds": ended - ready, "start_s": ready - started}


def _states(plan: Plan, schema: Schema) -> WorkTable:
    [table] = [table for table in plan.carried if table.source == TABLE]
    generated = build(schema, plan).generated
    return work_table(plan, table, schema.table(TABLE), generated, plan.target_schema, schema.encoding)


if __name__ == "__main__":
    recorder, plan_toml, database, count = sys.argv[1:]
    sys.stdout.write(json.dumps(copy_states(Path(recorder), Path(plan_toml), database, int(count))))
