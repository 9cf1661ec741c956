"""What an argument may become in its column: PostgreSQL takes it for the column's type, SQLite keeps it as it comes.

Whether the values of a program ever differ there nobody can tell from its text, so it is said once for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrator.core.model import Affinity
from migrator.core.sql.query import Note
from migrator.core.sql.scope import ColumnScope, Kind
from migrator.core.sql.times import CALENDAR
from migrator.core.sql.values import Parameter, Value

TIMES = {**CALENDAR, Kind.TIMESTAMPTZ: "timestamptz"}
DATE_TEXT, SCALE, COLUMN_TYPE, ARRAY = "date-text", "scale", "column-type", "array"
PER_COLUMN = (DATE_TEXT, SCALE, COLUMN_TYPE, ARRAY)  # rules that are told once for each column
_AS_TEXT = 'or say type = "text" for it in the plan'


def argument_notes(parameters: Iterable[Parameter]) -> Iterator[Note]:
    for parameter in parameters:
        for column in parameter.stored:
            yield from _stored(column)
        for value in parameter.beside:
            yield from _compared(value)


def rounded(column: ColumnScope) -> Note:
    """Of what is written into a column with a scale."""
    text = f"what is written into {column.label} is rounded to {column.scale} digits behind the point by PostgreSQL"
    return Note(SCALE, text, f'Round it in the program, or say type = "numeric" for {column.label} in the plan.', True)


def array(label: str) -> Note:
    text = f"{label} is text[] in PostgreSQL: it is read as a list, and the JSON text of a list is refused"
    return Note(ARRAY, text, f'Pass and take lists, or say type = "jsonb" or "text" for {label} in the plan.', True)


def _stored(column: ColumnScope) -> Iterator[Note]:
    if not column.label:
        return
    if column.scale is not None:
        yield rounded(column)
    elif column.kind is Kind.TEXT_ARRAY:
        yield array(column.label)
    elif column.kind is Kind.BLOB:
        text = f"a text that goes into {column.label} is bytes afterwards"
        yield Note(COLUMN_TYPE, text, "Pass bytes alone.")
    else:
        yield from _read_as(column)


def _compared(value: Value) -> Iterator[Note]:
    if value.label:
        yield from _read_as(value)


def _read_as(column: ColumnScope | Value) -> Iterator[Note]:
    if column.kind in TIMES:
        text = (
            f"an argument for {column.label} is read as a {TIMES[column.kind]}: where it is not {column.spelling},"
            " SQLite keeps it as it is and compares letters; PostgreSQL takes 'now' for the present time"
            + ("" if column.kind is Kind.TIMESTAMPTZ else ", and passes over an offset")
        )
        yield Note(DATE_TEXT, text, f"Pass {column.spelling} alone, {_AS_TEXT}.")
    elif column.kind is Kind.UUID:
        text = f"a UUID for {column.label} is spelt in small letters and with hyphens afterwards, and is compared so"
        yield Note(COLUMN_TYPE, text, f"Pass UUIDs in this spelling, {_AS_TEXT}.")
    elif column.kind is Kind.TEXT and column.affinity is not Affinity.TEXT:
        text = f"a number for {column.label} is a text in PostgreSQL: 1 is '1' there, and equal to it"
        yield Note(COLUMN_TYPE, text, f"Pass texts for {column.label} alone, and take them.")
