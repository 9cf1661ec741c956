"""What an audit prints: lines for a terminal, JSON with a version, and the other formats as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from io import StringIO
from typing import Any

from rich.console import Console
from rich.markup import escape

from migrator.core.audit.markdown import markdown
from migrator.core.audit.overview import Group, dangers, declined, groups, remaining
from migrator.core.audit.result import Audit, Door, TableUse
from migrator.core.audit.rules import RULES, Level
from migrator.core.audit.sarif import sarif
from migrator.core.audit.sent import Place
from migrator.core.findings import count_of
from migrator.core.visible import one_line, visible
from migrator.report import to_json

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow"}


def rendered(audit: Audit, form: str) -> str:
    """json, sarif, markdown or html."""
    if form == "json":
        return to_json("audit", audit_body(audit)) + "\n"
    if form == "sarif":
        log = json.dumps(sarif(audit, version("metastore-migrator")), indent=2, ensure_ascii=False)
        return log.encode("utf-8", "backslashreplace").decode() + "\n"
    if form == "html":
        from migrator.audit_page import render

        return render(audit)
    return markdown(audit)


def audit_body(audit: Audit) -> dict[str, Any]:
    rules = {rule.id: asdict(rule) for rule in RULES.values() if rule.id in audit.summary.hazards}
    doors = {
        "endpoints": [_door_body(door) for door in audit.endpoints],
        "jobs": [_door_body(door) for door in audit.jobs],
    }
    return {**asdict(audit), **doors, "rules": rules}


def _door_body(door: Door) -> dict[str, Any]:
    return {**asdict(door), "operation": door.operation}


# -- a terminal --------------------------------------------------------------------------------------------------------


def show_audit(console: Console, audit: Audit, next_step: str) -> None:
    """The number that is left comes last, where a person looks first."""
    for title, lines in (
        ("Tables", (line for table in audit.tables for line in _table(table))),
        ("Endpoints", _doors(audit.endpoints)),
        ("Jobs", _doors(audit.jobs)),
        ("Hazards", (line for group in groups(audit) for line in _group(group))),
        ("Statements that a person has to change", _declined(audit)),
        ("Why this database is not safe in production", (f"  {sentence}" for sentence in dangers(audit))),
        ("Files that could not be read", _unread(audit)),
        ("Summary", _summary(audit, next_step)),
    ):
        _section(console, title, lines)


def as_text(audit: Audit, next_step: str) -> str:
    """What a terminal would show, without colours."""
    with StringIO() as file:
        console = Console(file=file, emoji=False, highlight=False, soft_wrap=True, color_system=None)
        show_audit(console, audit, next_step)
        return file.getvalue().lstrip("\n")


def _section(console: Console, title: str, lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        if place == 0:
            console.print(f"\n[bold]{title}[/]")
        console.print(line)


def _shown(text: str) -> str:
    """Nothing in it moves the cursor or colours anything."""
    return escape(one_line(text))


def _at(file: str, line: int) -> str:
    return f"{escape(visible(file))}:{line}"


def _table(table: TableUse) -> Iterator[str]:
    held = [table.remark] if table.remark else []
    held += [count_of(len(table.columns), "column")] if table.columns else []
    held += [count_of(table.rows, "row")] if table.rows is not None else []
    held += [count_of(table.size_bytes, "byte")] if table.size_bytes is not None else []
    yield f"  [bold]{_shown(table.name)}[/]  {', '.join(held)}"
    if table.columns:
        yield f"    {_shown(', '.join((*table.columns, *table.keys)))}"
    yield from _users("written by", table.written_by)
    yield from _users("read by", table.read_by)


def _users(label: str, places: Sequence[Place]) -> Iterator[str]:
    for number, place in enumerate(places):
        yield f"    {label if number == 0 else '':10}  {_at(place.file, place.line)}  {_shown(place.function)}"


def _doors(doors: Sequence[Door]) -> Iterator[str]:
    width = max((len(door.method) for door in doors), default=0)
    for door in doors:
        reached = f"{door.operation}  {_shown(_tables(door))}".rstrip()
        yield f"  {_shown(door.method):{width}}  {_shown(door.path)}  {reached}"
        ways = dict.fromkeys(" → ".join(item.functions) for item in door.through) or {door.place.function: None}
        yield from (f"  {'':{width}}    {_shown(way)}" for way in ways)


def _tables(door: Door) -> str:
    written = [f"writes {', '.join(door.writes)}"] if door.writes else []
    read = [name for name in door.reads if name not in door.writes]
    return "; ".join([*written, *([f"reads {', '.join(read)}"] if read else [])])


def _group(group: Group) -> Iterator[str]:
    rule = group.rule
    yield f"  [{_STYLES[rule.level]}]{rule.id}[/]  {escape(rule.title)} ({len(group.hazards):,})"
    yield f"    why:  {escape(rule.why)}"
    yield f"    fix:  {escape(rule.fix)}"
    for hazard in group.hazards:
        yield f"    {_at(hazard.file, hazard.line)}  {_shown(hazard.detail)}".rstrip()


def _declined(audit: Audit) -> Iterator[str]:
    for rule, statements in declined(audit).items():
        yield f"  {_shown(rule)} ({len(statements):,})"
        for item in statements:
            yield f"    {_at(item.place.file, item.place.line)}  {_shown(item.sql)}"


def _unread(audit: Audit) -> Iterator[str]:
    return (f"  {_at(item.file, item.line)}  {_shown(item.reason)}" for item in audit.unread)


def _summary(audit: Audit, next_step: str) -> Iterator[str]:
    summary = audit.summary
    doors = f"{count_of(len(audit.endpoints), 'endpoint')}, {count_of(len(audit.jobs), 'job')}"
    read = f"{count_of(summary.files, 'file')}, {count_of(summary.lines, 'line')}"
    yield f"  {read}; {count_of(audit.table_count, 'table')}, {doors}"
    for rule, number in sorted(summary.hazards.items(), key=lambda item: -item[1]):
        yield f"  {number:6,}  {rule}"
    yield f"  [bold]{remaining(audit)}[/]"
    if summary.left:
        yield f"  next: {_shown(next_step)}"
