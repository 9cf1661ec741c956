"""inspect: what a SQLite database holds, without changing a byte of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from migrator.core.census import TableCensus
from migrator.core.findings import Finding, Severity
from migrator.core.model import Schema, TableKind
from migrator.core.plan import Style
from migrator.core.planning import Draft, Orphaned, draft_plan
from migrator.core.progress import Progress
from migrator.profiles import recognise
from migrator.source.connection import open_readable, source_errors
from migrator.source.rows import table_ranges
from migrator.source.schema import SchemaReading, read_schema
from migrator.source.sizes import table_sizes
from migrator.tasks.census import CensusTask, OrphanTask
from migrator.tasks.table import relation_of
from migrator.workers import Task, WorkerPool


@dataclass(frozen=True)
class Inspection:
    """The schema, the census of every table, and what a person should know. Sizes are in bytes."""

    path: Path
    size_bytes: int
    schema: Schema
    census: Mapping[str, TableCensus]
    sizes: Mapping[str, int]
    orphans: tuple[Orphaned, ...]
    findings: tuple[Finding, ...]

    def draft(self, style: Style, zone: str, target_schema: str) -> Draft:
        """The plan that this style proposes."""
        return draft_plan(self.schema, self.census, self.sizes, self.orphans, style, zone, target_schema)


def inspect(path: Path, workers: int, progress: Progress) -> Inspection:
    """Read the schema and take the census. Raises SourceError."""
    with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
        connection, readable = open_readable(path, Path(scratch))
        with source_errors(path):
            reading = read_schema(connection)
            tasks = _tasks(connection, reading)
            sizes = table_sizes(connection)
            connection.close()
        progress.start("Taking the census")
        census = {
            table.name: TableCensus.empty(len(table.columns))
            for table in reading.schema.tables
            if table.kind is TableKind.TABLE
        }
        orphans = []
        with WorkerPool(max(1, min(workers, len(tasks))), readable) as pool:
            for task, result in pool.run(tasks, progress.advance):
                if isinstance(task, CensusTask):
                    census[task.relation.name].merge([result])
                elif isinstance(task, OrphanTask) and result:
                    orphans.append(Orphaned(task.table, task.key, result))
        progress.finish()
    drafted = draft_plan(reading.schema, census, sizes, tuple(orphans), Style.FAITHFUL, "UTC", "public")
    findings = _known_application(reading.schema) + reading.findings + drafted.findings
    return Inspection(path, path.stat().st_size, reading.schema, census, sizes, tuple(orphans), findings)


def _known_application(schema: Schema) -> tuple[Finding, ...]:
    profile = recognise("auto", schema)
    if profile is None:
        return ()
    message = "plan and run know this application's tables, and answer some of what is listed here."
    return (Finding("profile", Severity.NOTE, profile.name, message, "To see how: migrator plan SOURCE -o plan.toml"),)


def _tasks(connection, reading: SchemaReading) -> list[Task]:  # type: ignore[no-untyped-def]  # apsw stays in source
    """One task per range of every table, the larger tables first, and one per foreign key that can be looked up."""
    schema = reading.schema
    census: list[list[Task]] = []
    orphans: list[Task] = []
    names = {table.name.lower() for table in schema.tables}
    for table in schema.tables:
        if table.kind is not TableKind.TABLE or not table.columns:
            continue
        relation = relation_of(table)
        census.append([CensusTask(relation, part, schema.encoding) for part in table_ranges(connection, relation)])
        for key in table.foreign_keys:
            with suppress(KeyError):
                parent = schema.table(key.parent)
                columns = {column.name.lower() for column in parent.columns}
                found = all(name.lower() in columns for name in key.parent_columns)
                if key.parent.lower() in names and found and len(key.columns) == len(key.parent_columns):
                    orphans.append(OrphanTask(table.name, key))
    return [task for tasks in sorted(census, key=len, reverse=True) for task in tasks] + orphans
