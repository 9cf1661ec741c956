"""How the module beside the program spells dates and times, and the results that come back in another way all the same.

SQLite has texts where PostgreSQL has dates and times. A driver tells the module the type of a value and not the column,
so that one spelling of each type serves all of its columns: that of most of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from migrator.core.findings import Finding, Severity
from migrator.core.model import Affinity
from migrator.core.sql.given import PER_COLUMN, TIMES, array
from migrator.core.sql.query import Note
from migrator.core.sql.scope import ColumnScope, Kind, TableScope
from migrator.core.sql.values import Value

SPELLING = "spelling"
# As SQLite's CURRENT_TIMESTAMP; digits behind the seconds are shown where there are any.
_USUAL = {
    Kind.DATE: "YYYY-MM-DD",
    Kind.TIME: "HH:MM:SS",
    Kind.TIMESTAMP: "YYYY-MM-DD HH:MM:SS",
    Kind.TIMESTAMPTZ: "YYYY-MM-DD HH:MM:SS",
}
_OFFSET = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_OBJECTS = (Kind.DATE, Kind.TIMESTAMP)  # what detect_types makes of DATE and TIMESTAMP


@dataclass(frozen=True, eq=False)
class Spellings:
    """`pictures` by PostgreSQL's names of types; `zone` is that of points in time whose texts have none."""

    pictures: Mapping[str, str] = field(default_factory=lambda: {TIMES[kind]: text for kind, text in _USUAL.items()})
    zone: str = ""

    def result_notes(self, value: Value, *, objects: bool = False) -> Iterator[Note]:
        """What a result is in PostgreSQL that it was not in SQLite.

        `objects`: the connection has objects for dates and timestamps, as it had in SQLite.
        """
        if not value.label:
            return
        if value.kind in TIMES:
            yield from () if objects and value.kind in _OBJECTS else self._of_time(value)
        elif value.kind is Kind.TEXT_ARRAY:
            yield array(value.label)
        elif value.kind is Kind.UUID and value.spelling:
            yield _another(value, "is given in small letters and with hyphens")
        elif value.kind is Kind.BOOLEAN and value.affinity is Affinity.TEXT:
            yield _another(value, "is given as 1 or 0 and no text")
        elif value.kind is Kind.JSONB:
            yield _another(value, "is JSON, whose spaces and order of keys are PostgreSQL's", warns=False)

    def _of_time(self, value: Value) -> Iterator[Note]:
        wanted, given = value.spelling or _USUAL[value.kind], self.pictures[TIMES[value.kind]]
        if _plain(wanted) != _plain(given):
            yield _another(value, f"is given as {given}, and was {wanted}")
        elif (value.zone or "") not in ("", self.zone):
            yield _another(value, f"is given in the time of {self.zone}, and was {value.zone}'s")


USUAL = Spellings()


def _another(value: Value, how: str, *, warns: bool = True) -> Note:
    text = f"{value.label} {how}"
    return Note(SPELLING, text, f'See who reads it, or say type = "text" for {value.label} in the plan.', warns)


def _plain(picture: str) -> str:
    """Digits that are shown where there are any are those of a column without."""
    return picture.replace("[.ffffff]", "")


def spellings_of(tables: Iterable[TableScope]) -> Spellings:
    columns = [column for table in tables if not table.is_view for column in table.columns.values()]
    pictures = {TIMES[kind]: _most(kind, columns) for kind in TIMES}
    zones = Counter(column.zone for column in columns if column.zone and not _OFFSET.search(column.spelling or ""))
    return Spellings(pictures, next((zone for zone, _ in zones.most_common(1)), ""))


def _most(kind: Kind, columns: Iterable[ColumnScope]) -> str:
    """The picture of most columns of this kind; of several that are as frequent, the usual one."""
    counted = Counter(_plain(column.spelling) for column in columns if column.kind is kind and column.spelling)
    usual = _USUAL[kind]
    return max(counted, key=lambda picture: (counted[picture], picture == usual), default=usual)


def once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each, and of those about a column the first that says the same of it."""
    said: set[tuple[str, str]] = set()
    for item in dict.fromkeys(findings):
        key = item.rule, item.message
        if item.rule not in (*PER_COLUMN, SPELLING) or key not in said:
            yield item
        said.add(key)


def severity_of(note: Note) -> Severity:
    return Severity.WARNING if note.warns else Severity.NOTE
