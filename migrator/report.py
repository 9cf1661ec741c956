"""What people read and programs parse: tables on a terminal, JSON with a version."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from migrator.core.census import ColumnCensus
from migrator.core.errors import MigratorError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import TableKind
from migrator.core.typemap import evidence
from migrator.steps.carrying import RunResult
from migrator.steps.export import ExportResult
from migrator.steps.inspect import Inspection
from migrator.steps.rejects import Rejected
from migrator.steps.reverse import Returned
from migrator.steps.status import RunStatus
from migrator.steps.verification import Proof

VERSION = 1
_STYLES = {Severity.DECISION: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def to_json(kind: str, body: dict[str, Any]) -> str:
    """One object with its kind and the version of its shape; infinities and bytes as text, since JSON has neither.

    Half a surrogate pair, which no encoding has, is written as its escape.
    """
    text = json.dumps({"kind": kind, "version": VERSION, **_plain(body)}, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# -- errors and findings -----------------------------------------------------------------------------------------------


def show_error(console: Console, error: MigratorError) -> None:
    console.print(f"[bold red]error:[/] {escape(error.what)}")
    if error.why:
        console.print(f"  why:  {escape(error.why)}")
    if error.next_step:
        console.print(f"  next: {escape(error.next_step)}")


def error_json(error: MigratorError) -> str:
    body = {"what": error.what, "why": error.why, "next_step": error.next_step, "exit_code": int(error.exit_code)}
    return to_json("error", body)


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    for severity in (Severity.DECISION, Severity.WARNING, Severity.NOTE):
        for finding in findings:
            if finding.severity is severity:
                head = f"[{_STYLES[severity]}]{severity.value}[/] {finding.rule} {escape(finding.where)}"
                console.print(f"{head}: {escape(finding.message)}")
                if finding.next_step:
                    console.print(f"    {escape(finding.next_step)}")


def finding_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


# -- inspect -----------------------------------------------------------------------------------------------------------


def show_inspection(console: Console, inspection: Inspection) -> None:
    for table in inspection.schema.tables:
        if table.kind is not TableKind.TABLE:
            console.print(f"\n[bold]{escape(table.name)}[/]  {table.kind.value} table, not carried")
            continue
        census = inspection.census[table.name]
        size = inspection.sizes.get(table.name)
        notes = [count_of(census.rows, "row")] + ([count_of(size, "byte")] if size is not None else [])
        notes += [word for word, holds in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid)) if holds]
        notes += [count_of(len(table.indexes), "index", "indexes")] if table.indexes else []
        notes += [count_of(len(table.foreign_keys), "foreign key")] if table.foreign_keys else []
        console.print(f"\n[bold]{escape(table.name)}[/]  {', '.join(notes)}")
        grid = Grid(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for column, counted in zip(table.columns, census.columns, strict=True):
            key = "key" if column.name in table.primary_key else ""
            grid.add_row(
                "  " + escape(column.name), escape(column.declared_type or "-"), key, escape(evidence(counted))
            )
        console.print(grid)
    if inspection.schema.views or inspection.schema.triggers:
        views = ", ".join(view.name for view in inspection.schema.views) or "none"
        triggers = ", ".join(trigger.name for trigger in inspection.schema.triggers) or "none"
        console.print(f"\nviews: {escape(views)} · triggers: {escape(triggers)}")
    if inspection.findings:
        console.print("\n[bold]What to look at[/]")
        show_findings(console, inspection.findings)
    rows = sum(census.rows for census in inspection.census.values())
    tables = count_of(len(inspection.census), "table")
    console.print(f"\n{tables}, {count_of(rows, 'row')}, {count_of(inspection.size_bytes, 'byte')}")


def inspection_json(inspection: Inspection) -> str:
    tables = []
    for table in inspection.schema.tables:
        body = asdict(table)
        census = inspection.census.get(table.name)
        body["rows"] = census.rows if census else None
        body["size_bytes"] = inspection.sizes.get(table.name)
        for number, column in enumerate(body["columns"]):
            column["census"] = _census(census.columns[number]) if census else None
        tables.append(body)
    return to_json(
        "inspection",
        {
            "source": str(inspection.path),
            "size_bytes": inspection.size_bytes,
            "encoding": inspection.schema.encoding,
            "tables": tables,
            "views": [asdict(view) for view in inspection.schema.views],
            "triggers": [asdict(trigger) for trigger in inspection.schema.triggers],
            "orphans": [asdict(orphaned) for orphaned in inspection.orphans],
            "findings": finding_json(inspection.findings),
        },
    )


def _census(census: ColumnCensus) -> dict[str, Any]:
    body = asdict(census)
    body["distinct"] = None if census.distinct is None else sorted(map(repr, census.distinct))
    return body


# -- run and verify ----------------------------------------------------------------------------------------------------


def show_result(console: Console, result: RunResult) -> None:
    show_findings(console, result.findings)
    if not result.placed:
        planned = ", ".join(f"{count} × {kind}" for kind, count in result.planned.items() if count)
        console.print(f"[bold]dry run[/] would create {planned}; nothing was changed")
        return
    for covered in result.covered:
        rows_in = ", ".join(f"{escape(name)} {count:,}" for name, count in covered.rows_in.items())
        accepted = f", {covered.accepted:,} accepted as dropped" if covered.accepted else ""
        console.print(f"merge {escape(covered.query)}: rows in {rows_in}; out {covered.rows_out:,}{accepted}")
    show_proof(console, result.proof)
    console.print(_phases(result.seconds))
    rejected = f", [bold red]{result.rejects:,} rejected[/]" if result.rejects else ", none rejected"
    healed = f", {count_of(result.healed, 'value')} healed" if result.healed else ""
    arrived = f"{count_of(result.tables, 'table')}, {count_of(result.rows, 'row')} in schema {escape(result.placed)}"
    console.print(f"[bold green]done[/] {arrived}{rejected}{healed}")
    if result.wal_bytes:
        console.print(f"the source's write-ahead log has {result.wal_bytes:,} bytes now that its readers are gone")
    console.print(f"run folder: {escape(str(result.folder))}")


def _phases(seconds: Mapping[str, float]) -> str:
    return " · ".join(f"{phase} {taken:.1f} s" for phase, taken in seconds.items())


def show_proof(console: Console, proof: Proof) -> None:
    for view, outcome in proof.views.items():
        console.print(f"view {escape(view)}: {escape(outcome)}")
    for difference in proof.differences:
        console.print(f"[bold red]differs[/] {escape(str(difference))}")
    healed = f", {count_of(proof.healed, 'healed value')} as the plan says" if proof.healed else ""
    rejected = sum(comparison.rejected for comparison in proof.tables.values())
    without = f", {count_of(rejected, 'rejected row')} left out" if rejected else ""
    verdict = "[bold green]verified[/]" if proof.holds else f"[bold red]{count_of(proof.differing, 'difference')}[/] in"
    console.print(
        f"{verdict} {count_of(proof.rows, 'row')} value by value{healed}{without}; "
        f"{proof.parts_compared} tables, indexes, keys and sequences"
    )


def result_json(result: RunResult) -> str:
    return to_json("run", result_body(result))


def result_body(result: RunResult) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "folder": str(result.folder),
        "attempt": result.attempt,
        "schema": result.placed,
        "planned": result.planned,
        "snapshot": result.snapshot,
        "wal_bytes": result.wal_bytes,
        "tables": result.tables,
        "rows": result.rows,
        "rejects": result.rejects,
        "healed": result.healed,
        "seconds": {phase: round(seconds, 3) for phase, seconds in result.seconds.items()},
        "covered": [asdict(covered) for covered in result.covered],
        "findings": finding_json(result.findings),
        "proof": proof_body(result.proof),
    }


def outcome_body(result: RunResult, source: Path, target: str) -> dict[str, Any]:
    """What a run leaves for a later verification; `target` is safe to write down."""
    return {"source": str(source.resolve()), "target": target, **result_body(result)}


def proof_body(proof: Proof) -> dict[str, Any]:
    return {
        "holds": proof.holds,
        "rows": proof.rows,
        "healed": proof.healed,
        "differing": proof.differing,
        "parts_compared": proof.parts_compared,
        "tables": {
            name: {"rows": item.rows, "healed": item.healed, "rejected": item.rejected, "differing": item.differing}
            for name, item in proof.tables.items()
        },
        "views": proof.views,
        "differences": [asdict(difference) for difference in proof.differences],
    }


# -- export ------------------------------------------------------------------------------------------------------------


def show_export(console: Console, result: ExportResult) -> None:
    show_findings(console, result.findings)
    for view, reason in result.views.items():
        console.print(f"view {escape(view)}: its result is not among the files: {escape(reason)}")
    console.print(_phases(result.seconds))
    rejected = f", [bold red]{result.rejects:,} rejected[/]" if result.rejects else ", none rejected"
    healed = f", {count_of(result.healed, 'value')} healed" if result.healed else ""
    kept = f", {result.kept:,} of them from before" if result.kept else ""
    compared = f"{count_of(result.tables, 'table')}, {count_of(result.rows, 'row')} compared with the source"
    console.print(f"[bold green]done[/] {compared}{rejected}{healed}")
    console.print(f"{count_of(result.files, 'data file')}{kept}, {count_of(result.bytes, 'byte')}")
    console.print(f"to load it: migrator load {escape(str(result.folder))} TARGET")


def export_body(result: ExportResult) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "tables": result.tables,
        "rows": result.rows,
        "rejects": result.rejects,
        "healed": result.healed,
        "files": result.files,
        "kept": result.kept,
        "bytes": result.bytes,
        "snapshot": result.snapshot,
        "covered": [asdict(covered) for covered in result.covered],
        "views": result.views,
        "seconds": {phase: round(seconds, 3) for phase, seconds in result.seconds.items()},
        "findings": finding_json(result.findings),
    }


# -- the way back ------------------------------------------------------------------------------------------------------


def show_returned(console: Console, returned: Returned) -> None:
    show_findings(console, returned.findings)
    by = f"the plan of {returned.run}" if returned.run else f"PostgreSQL's catalog, schema {returned.schema}"
    console.print(f"tables by {escape(by)}")
    if not returned.placed:
        planned = ", ".join(f"{count} × {kind}" for kind, count in returned.planned.items() if count)
        console.print(f"[bold]dry run[/] would create {planned}; nothing was changed")
        return
    compared = f"{count_of(returned.proof.rows, 'row')} value by value"
    console.print(f"[bold green]verified[/] {compared}, and the file by SQLite's own integrity check")
    console.print(" · ".join(f"{phase} {seconds:.1f} s" for phase, seconds in returned.seconds.items()))
    rejected = f", [bold red]{returned.rejects:,} rejected[/]" if returned.rejects else ", none rejected"
    arrived = f"{count_of(returned.tables, 'table')}, {count_of(returned.rows, 'row')} in {escape(str(returned.file))}"
    console.print(f"[bold green]done[/] {arrived}{rejected}")
    if returned.kept:
        console.print(f"what was there is now {escape(str(returned.kept))}")
    console.print(f"run folder: {escape(str(returned.folder))}")


def returned_body(returned: Returned, server: str) -> dict[str, Any]:
    """What a way back leaves; `server` is safe to write down."""
    return {
        "run_id": returned.run_id,
        "folder": str(returned.folder),
        "source": server,
        "target": str(returned.file),
        "run": str(returned.run) if returned.run else None,
        "schema": returned.schema,
        "placed": returned.placed,
        "kept": str(returned.kept) if returned.kept else None,
        "planned": returned.planned,
        "tables": returned.tables,
        "rows": returned.rows,
        "rejects": returned.rejects,
        "seconds": {phase: round(seconds, 3) for phase, seconds in returned.seconds.items()},
        "findings": finding_json(returned.findings),
        "proof": proof_body(returned.proof),
    }


# -- rejects -----------------------------------------------------------------------------------------------------------


def show_rejects(console: Console, found: Rejected) -> None:
    if not found.ended:
        console.print(f"the run in {escape(str(found.file.parent))} has not come to its end")
    if not found.groups:
        console.print("nothing was rejected" if found.ended else "nothing is known of rejected rows yet")
        return
    for group in found.groups:
        where = f"{group.table}.{group.column}" if group.column else group.table
        kind = f" ({group.storage_class})" if group.storage_class else ""
        console.print(f"[bold]{escape(where)}[/]{kind}: {count_of(group.rows, 'row')}: {escape(group.reason)}")
        keys = "; ".join(", ".join(f"{name}={value!r}" for name, value in key.items()) for key in group.keys)
        more = ", …" if group.rows > len(group.keys) else ""
        console.print(f"  rows: {escape(keys)}{more}")
        console.print(f"  {'plan' if found.plan else 'next'}: {escape(group.remedy)}")
    plan = f"; the plan was {escape(str(found.plan))}" if found.plan else ""
    console.print(f"{count_of(found.rows, 'row')} in {escape(str(found.file))}{plan}")


def rejects_json(found: Rejected) -> str:
    body = {"file": str(found.file), "plan": str(found.plan) if found.plan else None, "rows": found.rows}
    return to_json("rejects", body | {"groups": [asdict(group) for group in found.groups]})


# -- status ------------------------------------------------------------------------------------------------------------


def show_status(console: Console, runs: Sequence[RunStatus]) -> None:
    if not runs:
        console.print("no unfinished run")
    for run in runs:
        record, progress = run.record, run.progress
        rate = f", {run.rows_per_s:,.0f} rows/s" if run.rows_per_s else ""
        console.print(f"[bold]{escape(record.run_id)}[/]: {run.state}, {run.doing}")
        console.print(f"  {escape(record.source)} into schema {escape(record.target_schema)}")
        console.print(f"  begun {record.begun_at:%Y-%m-%d %H:%M:%S} UTC; run folder {escape(record.folder)}")
        arrived = f"{count_of(progress.rows, 'row')} in {count_of(progress.units, 'unit')}"
        console.print(f"  arrived: {arrived}{rate}; left: {run.left:,}; on disk {count_of(run.staged_bytes, 'byte')}")
        for doing in run.at_work:
            console.print(f"  at work: {escape(doing)}")
        if not run.at_work:
            console.print(f"  to go on: run the same command again; to discard: {escape(run.discard)}")


def status_json(runs: Sequence[RunStatus]) -> str:
    return to_json(
        "status",
        {
            "runs": [
                {
                    "run_id": run.record.run_id,
                    "state": run.state,
                    "phase": run.record.phase,
                    "source": run.record.source,
                    "folder": run.record.folder,
                    "schema": run.record.target_schema,
                    "begun_at": run.record.begun_at.isoformat(),
                    "units": run.progress.units,
                    "rows": run.progress.rows,
                    "left": run.left,
                    "rows_per_s": run.rows_per_s,
                    "staged_bytes": run.staged_bytes,
                    "at_work": list(run.at_work),
                    "discard": run.discard,
                }
                for run in runs
            ]
        },
    )
