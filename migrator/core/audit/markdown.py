"""An audit as Markdown, for a wiki or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from migrator.core.audit.overview import Group, counts, dangers, declined, groups, remaining
from migrator.core.audit.result import Audit, Door, TableUse
from migrator.core.audit.sent import Place
from migrator.core.findings import count_of
from migrator.core.visible import one_line

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def markdown(audit: Audit) -> str:
    """The whole document. Whatever comes from the program is text in it."""
    lines = ["# What SQLite means to this program", "", remaining(audit), "", *_table(["", ""], counts(audit))]
    lines += _section("Why this database is not safe in production", _bullets(dangers(audit)))
    lines += _section("Tables", (line for table in audit.tables for line in _of_table(table)))
    lines += _section("Endpoints", _doors(audit.endpoints, ("Method", "Path")))
    lines += _section("Jobs", _doors(audit.jobs, ("Trigger", "Registered")))
    lines += _section("Hazards", (line for group in groups(audit) for line in _of_group(group)))
    lines += _section("Statements that a person has to change", _declined(audit))
    unread = (f"{_code(f'{item.file}:{item.line}')}: {text(item.reason)}" for item in audit.unread)
    lines += _section("Files that could not be read", _bullets(unread))
    return "\n".join(lines) + "\n"


def text(value: str) -> str:
    """Nothing in it is Markdown or HTML, and it is one line."""
    return _MARKS.sub(r"\\\1", one_line(value))


def _code(value: str) -> str:
    """As code, also in a table: with a fence that is longer than any in it."""
    line = one_line(value).replace("|", "\\|")
    longest = max((len(found) for found in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def _section(title: str, lines: Iterable[str]) -> list[str]:
    """Nothing where there are no lines."""
    found = list(lines)
    return ["", f"## {title}", "", *found] if found else []


def _bullets(items: Iterable[str]) -> Iterator[str]:
    return (f"- {item}" for item in items)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


# -- tables ------------------------------------------------------------------------------------------------------------


def _of_table(table: TableUse) -> Iterator[str]:
    yield f"### {text(table.name)}"
    yield ""
    held = [count_of(table.rows, "row")] if table.rows is not None else []
    held += [count_of(table.size_bytes, "byte")] if table.size_bytes is not None else []
    yield from ([", ".join(held) + ".", ""] if held else [])
    yield from [f"- {table.remark.capitalize()}."] if table.remark else []
    yield from [f"- Columns: {', '.join(map(_code, table.columns))}"] if table.columns else []
    yield from [f"- Keys: {', '.join(map(_code, table.keys))}"] if table.keys else []
    yield f"- Written by: {_places(table.written_by)}"
    yield f"- Read by: {_places(table.read_by)}"
    yield ""


def _places(places: Iterable[Place]) -> str:
    return ", ".join(f"{_code(item.function)} {text(f'{item.file}:{item.line}')}" for item in places) or "nobody"


# -- doors -------------------------------------------------------------------------------------------------------------


def _doors(doors: Sequence[Door], head: tuple[str, str]) -> Iterator[str]:
    if doors:
        rows = ((door.method, _code(door.path), door.operation, _tables(door), _ways(door)) for door in doors)
        yield from _table([*head, "", "Tables", "Through"], rows)


def _tables(door: Door) -> str:
    written = [f"{_code(name)} (writes)" for name in door.writes]
    return ", ".join([*written, *(_code(name) for name in door.reads if name not in door.writes)])


def _ways(door: Door) -> str:
    """Each chain of functions once; where a door reaches nothing, its own function."""
    ways = dict.fromkeys(" → ".join(item.functions) for item in door.through) or {door.place.function: None}
    return "; ".join(map(_code, ways))


# -- hazards and statements --------------------------------------------------------------------------------------------


def _of_group(group: Group) -> Iterator[str]:
    yield f"### {group.rule.title} ({len(group.hazards):,})"
    yield ""
    yield f"`{group.rule.id}`, {group.rule.level.value}. {group.rule.why}"
    yield ""
    yield f"What to do: {text(group.rule.fix)}"
    yield ""
    for hazard in group.hazards:
        detail = f": {text(hazard.detail)}" if hazard.detail else ""
        yield f"- {_code(f'{hazard.file}:{hazard.line}')}{detail}"
    yield ""


def _declined(audit: Audit) -> Iterator[str]:
    for rule, statements in declined(audit).items():
        yield f"- {_code(rule)} ({len(statements):,})"
        for item in statements:
            yield f"  - {text(f'{item.place.file}:{item.place.line}')} {_code(item.sql)}"
