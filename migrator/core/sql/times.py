"""Dates and times that were texts: what a column of them is as a text again, and a text as one of them.

Every text of such a column is of one picture (core.formats), so that the text of a value is known and texts of the same
picture are in the order of time.
"""

from __future__ import annotations

from dataclasses import replace

from migrator.core.formats import DATE, text_format
from migrator.core.names import quote_literal
from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind
from migrator.core.sql.values import Value

CALENDAR = {Kind.DATE: "date", Kind.TIME: "time", Kind.TIMESTAMP: "timestamp"}
_CLOCKS = {
    "HH:MM": "HH24:MI",
    "HH:MM:SS": "HH24:MI:SS",
    "HH:MM:SS.fff": "HH24:MI:SS.MS",
    "HH:MM:SS.ffffff": "HH24:MI:SS.US",
}
_PICTURES = {DATE: "YYYY-MM-DD", **_CLOCKS}
_PICTURES |= {f"{DATE} {clock}": f"YYYY-MM-DD {form}" for clock, form in _CLOCKS.items()}
_PICTURES |= {f"{DATE}T{clock}": f'YYYY-MM-DD"T"{form}' for clock, form in _CLOCKS.items()}
_OPTIONAL = "HH:MM:SS[.ffffff]"  # without a fraction where it would be zero


def spelt(value: Value) -> Value:
    """A column of times as the text that SQLite has; any other value as it is."""
    if value.kind not in CALENDAR or value.picture is None or not value.column:
        return value
    sql = _text(value.sql, value.kind, value.picture)
    if sql is None:
        return value
    return replace(value, sql=sql, kind=Kind.TEXT, never_numeric=True, exact=True, bytewise=False)


def _text(sql: str, kind: Kind, picture: str) -> str | None:
    if picture.endswith(_OPTIONAL):
        whole, exact = (_text(sql, kind, picture.replace("[.ffffff]", end)) for end in ("", ".ffffff"))
        fraction = f"extract(microseconds FROM {sql})::bigint % 1000000"
        return f"(CASE WHEN {fraction} = 0 THEN {whole} ELSE {exact} END)" if whole and exact else None
    form = _PICTURES.get(picture)
    if form is None:
        return None
    # to_char() has none of a time.
    shown = f"(DATE '2000-01-01' + {sql})" if kind is Kind.TIME else sql
    return f"to_char({shown}, {quote_literal(form)})"


def picture_of(value: Value) -> str | None:
    """Of a literal, or of what a function gives."""
    return text_format(value.literal) if isinstance(value.literal, str) else value.picture


def as_time(value: Value, kind: Kind, picture: str | None) -> str | None:
    """A text of this picture as a value of this kind; None for any other."""
    if value.kind is not Kind.TEXT or value.parameter or picture is None or picture_of(value) != picture:
        return None
    if picture not in _PICTURES or value.column:
        return None
    text = v.bare(value) if value.literal is not None else value.sql
    return f"{text}::{CALENDAR[kind]}"
