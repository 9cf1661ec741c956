"""The copy of `states` alone, as a program: `python -m benchmarks.copying limit|migrator …`

Both write into the same bare table, the one that a run makes before its indexes, and print what they took as JSON. The
clock runs from the moment when everything is ready (connected; workers started and pinned to the snapshot) until the
last row is committed; `start_s` is what came before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from migrator.core.ddl import Phase, build
from migrator.core.model import Schema
from migrator.core.plan import Plan
from migrator.core.plan_file import from_toml
from migrator.source.snapshot import choose_snapshot, fence
from migrator.steps.building import create_tables
from migrator.steps.run import open_schema
from migrator.target.connection import connect, resolve_target
from migrator.tasks.copy import CopyTask
from migrator.tasks.query import RangesTask
from migrator.tasks.table import WorkTable, work_table
from migrator.workers import Pin, WorkerPool

TABLE = "states"
CHUNK_BYTES = 128 * 1024


@dataclass(frozen=True)
class Copied:
    rows: int
    seconds: float
    start_s: float


def create_bare_table(source: Path, plan_file: Path, url: str) -> None:
    """The table `states` as the plan has it, without keys and indexes."""
    target = resolve_target(url)
    with tempfile.TemporaryDirectory() as scratch, open_schema(source, Path(scratch)) as (_, schema):
        plan = from_toml(plan_file.read_text(encoding="utf-8"), schema)
        statements = [item for item in build(schema, plan).phase(Phase.TABLE) if item.table == TABLE]
    with connect(target) as connection:
        create_tables(connection, target, plan.target_schema, statements)


def save_binary(url: str, file: Path) -> None:
    """Write the table to `file` in PostgreSQL's binary COPY format."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor, file.open("wb") as output:
        with cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(sql.Identifier(TABLE))) as copy:
            for chunk in copy:
                output.write(chunk)


def copy_ready_file(file: Path, url: str) -> Copied:
    """The limit: nothing is read from SQLite, converted or encoded."""
    started = time.monotonic()
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(TABLE))
    with psycopg.connect(url) as connection, file.open("rb") as ready:
        connected = time.monotonic()
        with connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                while chunk := ready.read(CHUNK_BYTES):
                    copy.write(chunk)
            rows = cursor.rowcount
        connection.commit()
        return Copied(rows, time.monotonic() - connected, connected - started)


def copy_with_migrator(source: Path, plan_file: Path, url: str, processes: int) -> Copied:
    """Migrator's own tasks, workers and snapshot; nothing of the copy is written anew here."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, open_schema(source, Path(scratch)) as (path, schema):
        plan = from_toml(plan_file.read_text(encoding="utf-8"), schema)
        table = _states(plan, schema)
        method = choose_snapshot(path, Path(scratch))
        with WorkerPool(processes, method.path, resolve_target(url)) as pool:
            with fence(method):
                pool.broadcast(Pin())
            ready = time.monotonic()
            [(_, ranges)] = pool.run([RangesTask(table.relation)])
            results = [copied for _, copied in pool.run([CopyTask(table, part) for part in ranges])]
            ended = time.monotonic()
    if any(copied.rejects for copied in results):
        raise SystemExit("rows were rejected: the recorder's data fit, so this is a defect of the migrator")
    return Copied(sum(copied.rows for copied in results), ended - ready, ready - started)


def _states(plan: Plan, schema: Schema) -> WorkTable:
    [table] = [table for table in plan.carried if table.source == TABLE]
    generated = build(schema, plan).generated
    return work_table(plan, table, schema.table(TABLE), generated, plan.target_schema, schema.encoding)


def main(method: str, *arguments: str) -> Copied:
    if method == "limit":
        file, url = arguments
        return copy_ready_file(Path(file), url)
    source, plan_file, url, processes = arguments
    return copy_with_migrator(Path(source), Path(plan_file), url, int(processes))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(main(*sys.argv[1:]))))
