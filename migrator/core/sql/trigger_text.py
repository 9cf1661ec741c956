"""CREATE TRIGGER as SQLite reads it: https://www.sqlite.org/lang_createtrigger.html"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migrator.core.model import fold
from migrator.core.sql.cursor import Cursor


class Event(StrEnum):
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Time(StrEnum):
    BEFORE = "BEFORE"
    AFTER = "AFTER"
    INSTEAD = "INSTEAD OF"


@dataclass(frozen=True)
class TriggerText:
    """`columns` are those of UPDATE OF, folded; `condition` is what stands behind WHEN, `steps` are the statements."""

    name: str
    table: str
    time: Time
    event: Event
    columns: frozenset[str]
    condition: str | None
    steps: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the rows that WHEN and the statements may speak of."""
        return {Event.INSERT: ("new",), Event.UPDATE: ("new", "old"), Event.DELETE: ("old",)}[self.event]


def read_trigger(sql: str) -> TriggerText:
    """Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("CREATE")
    cursor.skip_words("TEMP", "TEMPORARY")
    cursor.expect_word("TRIGGER")
    name = cursor.object_name()
    time = _time(cursor)
    event = Event(cursor.expect_one_of(*Event))
    columns = _columns(cursor) if event is Event.UPDATE and cursor.accept_word("OF") else frozenset[str]()
    cursor.expect_word("ON")
    table = cursor.object_name()
    cursor.accept_word("FOR", "EACH", "ROW")
    condition = None
    if cursor.accept_word("WHEN"):
        condition = cursor.slice(cursor.until(lambda token: token.is_word("BEGIN")))
    cursor.expect_word("BEGIN")
    steps = []
    while not cursor.at_word("END"):
        steps.append(cursor.slice(cursor.until(lambda token: token.is_operator(";"))))
        cursor.expect_operator(";")
    cursor.expect_word("END")
    cursor.expect_end()
    return TriggerText(name, table, time, event, columns, condition, tuple(steps))


def _time(cursor: Cursor) -> Time:
    """Without a word it is BEFORE."""
    if cursor.accept_word("INSTEAD", "OF"):
        return Time.INSTEAD
    return Time(cursor.step().text.upper()) if cursor.at_word(Time.BEFORE, Time.AFTER) else Time.BEFORE


def _columns(cursor: Cursor) -> frozenset[str]:
    names = [fold(cursor.name())]
    while cursor.accept_operator(","):
        names.append(fold(cursor.name()))
    return frozenset(names)
