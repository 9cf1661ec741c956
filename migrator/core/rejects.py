"""Rejected rows and healed values in bulk: what they have in common, and which line of the plan would help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from migrator.core.remedies import causes_by_column, columns_of, remedy

EXAMPLES = 3
# A value in a reason, which differs from row to row; not the apostrophe of a word, and not the number of U+0000.
_SHOWN = re.compile(r"(?<![A-Za-z0-9])x?'(?:[^']|'')*'|(?<!U\+)(?<![\w.])-?\d[\d,.]*(?:e[+-]?\d+)?\b")


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


def group_rejects(lines: Iterable[Mapping[str, Any]], tables: Iterable[Mapping[str, Any]] = ()) -> list[RejectGroup]:
    """The entries of rejects.jsonl in groups, the largest first; `tables` are those of tables.jsonl."""
    lines, columns = list(lines), columns_of(list(tables))
    causes = causes_by_column(lines)
    groups: dict[tuple[object, ...], RejectGroup] = {}
    for line in lines:
        reason = _SHOWN.sub("…", line["reason"])
        helps = remedy(line, causes.get((line["table"], line["column"]), set()), columns)
        place = (line["table"], line["column"], line["storage_class"], reason, helps)
        known = groups.get(place)
        if known is None:
            known = RejectGroup(line["table"], line["column"], line["storage_class"], reason, 0, (), helps)
        keys = (*known.keys, line["key"]) if len(known.keys) < EXAMPLES else known.keys
        groups[place] = replace(known, rows=known.rows + 1, keys=keys)
    return sorted(groups.values(), key=lambda group: -group.rows)
