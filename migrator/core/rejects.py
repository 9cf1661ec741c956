"""Rejected rows and healed values in bulk: what they have in common, and which line of the plan would help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tomlkit

EXAMPLES = 3
_SHOWN = re.compile(r"x?'(?:[^']|'')*'|\b\d[\d,.]*\b")  # a value in a reason: what differs from row to row


@dataclass(frozen=True)
class RejectGroup:
    """Rows of one table that were rejected for one column and one reason.

    `keys` are the first of them. `remedy` is a piece of a plan, or what to do where no line of a plan helps.
    """

    table: str
    column: str | None
    storage_class: str | None
    reason: str
    rows: int
    keys: tuple[Mapping[str, Any], ...]
    remedy: str


@dataclass(frozen=True)
class HealedGroup:
    """Values of one column that one policy has changed; `keys` are those of the first rows."""

    table: str
    column: str
    policy: str
    values: int
    keys: tuple[Mapping[str, Any], ...]


def group_healed(lines: Iterable[Mapping[str, Any]]) -> list[HealedGroup]:
    """The entries of healed.jsonl in groups, the largest first."""
    groups: dict[tuple[str, str, str], HealedGroup] = {}
    for line in lines:
        place = (line["table"], line["column"], line["policy"])
        known = groups.get(place) or HealedGroup(*place, 0, ())
        keys = (*known.keys, line["key"]) if len(known.keys) < EXAMPLES else known.keys
        groups[place] = replace(known, values=known.values + 1, keys=keys)
    return sorted(groups.values(), key=lambda group: -group.values)


def group_rejects(lines: Iterable[Mapping[str, Any]]) -> list[RejectGroup]:
    """The entries of rejects.jsonl in groups, the largest first."""
    groups: dict[tuple[object, ...], RejectGroup] = {}
    for line in lines:
        reason, remedy = _SHOWN.sub("…", line["reason"]), _remedy(line)
        place = (line["table"], line["column"], line["storage_class"], reason, remedy)
        known = groups.get(place)
        if known is None:
            known = RejectGroup(line["table"], line["column"], line["storage_class"], reason, 0, (), remedy)
        keys = (*known.keys, line["key"]) if len(known.keys) < EXAMPLES else known.keys
        groups[place] = replace(known, rows=known.rows + 1, keys=keys)
    return sorted(groups.values(), key=lambda group: -group.rows)


def _remedy(line: Mapping[str, Any]) -> str:
    if "remedy" in line:
        return str(line["remedy"])
    reason, table, column = line["reason"], line["table"], line["column"]
    if reason.startswith("its row of "):
        names = column.replace(", ", ",")
        return f'[tables.{_key(table)}.foreign_keys] {_key(names)} = {{orphans = "not-valid"}}, or "null"'
    if reason.startswith("NULL in a column"):
        return f"[tables.{_key(table)}.columns] {_key(column)}: without not_null, or fill the value in the source"
    if reason.startswith("PostgreSQL refused"):
        return "correct these rows in the source, or give the column another type in the plan"
    policy = _policy(line)
    if policy is None:
        return "correct these rows in the source"
    return f'[tables.{_key(table)}.columns] {_key(column)}: add policy = "{policy}"'


def _policy(line: Mapping[str, Any]) -> str | None:
    """What would carry the value; None for one too large for any policy."""
    if "NUL character" in line["reason"]:
        return "strip-nul"
    if "not valid in the database's encoding" in line["reason"]:
        return "bytea"
    if line["value_hex"] is None:
        return None
    if line["storage_class"] == "text" and line["value_hex"] == "":
        return "null-if-empty"
    return "bytea" if line["storage_class"] == "blob" else "widen"


def _key(name: str) -> str:
    """As it stands in a plan: bare where it can be."""
    return tomlkit.key(name).as_string()
