"""Which line of a plan would carry rejected values, and would not lose others instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import tomlkit

IN_THE_SOURCE = "no line of the plan carries them beside the other values: correct these rows in the source"

Line = Mapping[str, Any]  # an entry of rejects.jsonl
Columns = Mapping[tuple[str, str], Mapping[str, Any]]  # (table, column) → its type, and what else its line says


class Cause(StrEnum):
    """What is wrong with a value, as far as a policy could help."""

    NUL = "nul"
    BROKEN = "broken"
    EMPTY = "empty"
    OTHER_CLASS = "other class"
    NONE = "none"


def cause_of(line: Line) -> Cause:
    if "NUL character" in line["reason"]:
        return Cause.NUL
    if "not valid in the database's encoding" in line["reason"]:
        return Cause.BROKEN
    if line["value_hex"] is None or "could not be told from a number" in line["reason"]:
        return Cause.NONE
    if line["storage_class"] == "text" and line["value_hex"] == "":
        return Cause.EMPTY
    return Cause.OTHER_CLASS if line["storage_class"] in ("text", "integer", "real") else Cause.NONE


def causes_by_column(lines: Iterable[Line]) -> dict[tuple[str, str], set[Cause]]:
    """A column has one policy, so what is wrong with it counts together."""
    found: dict[tuple[str, str], set[Cause]] = defaultdict(set)
    for line in lines:
        if line["column"]:
            found[line["table"], line["column"]].add(cause_of(line))
    return found


def remedy(line: Line, causes: set[Cause], columns: Columns) -> str:
    """A piece of a plan, or what to do where none helps. `causes` are all that the column's rejects have."""
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
    policy = _policy(cause_of(line), causes, columns.get((table, column), {}))
    if policy is None:
        return IN_THE_SOURCE
    return f'[tables.{_key(table)}.columns] {_key(column)}: add policy = "{policy}"{_EXCEPT.get(policy, "")}'


_EXCEPT = {"widen": " (the column becomes text; texts that look like numbers would be rejected)"}


def _policy(cause: Cause, causes: set[Cause], column: Mapping[str, Any]) -> str | None:
    """None where no policy helps: the column has one already, or it would cost other values."""
    if "policy" in column or "holds" in column or "format" in column or "unit" in column:
        return None
    if cause in (Cause.NUL, Cause.BROKEN):
        if column.get("type", "text") != "text" or Cause.OTHER_CLASS in causes:
            return "strip-nul" if cause is Cause.NUL and Cause.BROKEN not in causes else None
        return "bytea" if Cause.BROKEN in causes else "strip-nul"
    if causes - {cause, Cause.NONE}:
        return None
    if cause is Cause.EMPTY:
        return None if column.get("not_null") else "null-if-empty"
    return "widen" if cause is Cause.OTHER_CLASS else None


def _key(name: str) -> str:
    """As it stands in a plan: bare where it can be."""
    return tomlkit.key(name).as_string()


def columns_of(tables: Sequence[Mapping[str, Any]]) -> Columns:
    """From the lines of tables.jsonl."""
    return {
        (table["source"], column["source"]): {"type": column["type"], **column["settings"]}
        for table in tables
        for column in table["columns"]
    }
