"""What a person should know: a stable rule id, where, what, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """NOTE changes nothing; WARNING is not carried or carried differently; DECISION stops a run until answered."""

    NOTE = "note"
    WARNING = "warning"
    DECISION = "decision"


def count_of(number: int, one: str, many: str = "") -> str:
    """The number and its noun: 1 table, 1,204 tables. `many` is for what gets no s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@dataclass(frozen=True)
class Finding:
    rule: str
    severity: Severity
    where: str  # table, table.column, or the name of an index, view or trigger
    message: str
    next_step: str = ""
    original: str = ""  # the SQL that is not carried, as it was written
