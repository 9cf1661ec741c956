"""Dates and times that were texts: what a column of them is as a text again, and a text as one of them.

Every text of such a column is of one picture (core.formats), so that the text of a value is known and texts of the same
picture are in the order of time. A point in time has a picture where its texts are in UTC or say one offset: elsewhere
the clocks are changed. The picture of a UUID is its form.
"""

from __future__ import annotations

import re
from dataclasses import replace

from migrator.core.formats import DATE, UUID_FORMATS, text_format
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


_UUIDS = {"hyphens": "{}::text", "upper": "upper({}::text)", "hex": "replace({}::text, '-', '')"}
_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d")
TYPES = {**CALENDAR, Kind.TIMESTAMPTZ: "timestamptz", Kind.UUID: "uuid"}


def spelt(value: Value) -> Value:
    """A column of times, or of UUIDs, as the text that SQLite has; any other value as it is."""
    if value.kind not in TYPES or value.picture is None or not value.column:
        return value
    if value.kind is Kind.UUID:
        sql: str | None = _UUIDS[value.picture].format(value.sql)
    else:
        sql = _text(value.sql, value.kind, value.picture)
    if sql is None:
        return value
    return replace(value, sql=sql, kind=Kind.TEXT, never_numeric=True, exact=True, bytewise=False)


def is_in_order(value: Value) -> bool:
    """Whether the texts of such a column are in the order of its values, and two texts are equal where two values are.

    Z stands behind the fraction's point in ASCII.
    """
    if value.kind is Kind.TIMESTAMPTZ or value.kind is Kind.UUID:
        return value.picture is not None and not value.picture.endswith(f"{_OPTIONAL}Z")
    return value.kind in CALENDAR


def has_offset(picture: str | None) -> bool:
    """Whether the texts say their zone themselves; those of a timestamptz that do not are in UTC."""
    return bool(picture) and _OFFSET.search(picture or "") is not None


def _text(sql: str, kind: Kind, picture: str) -> str | None:
    if kind is Kind.TIMESTAMPTZ:
        offset = _OFFSET.search(picture)
        zone = "'UTC'" if offset is None or offset[0] in ("Z", "+00:00") else f"INTERVAL '{offset[0]}'"
        plain = _text(f"({sql} AT TIME ZONE {zone})", Kind.TIMESTAMP, _OFFSET.sub("", picture))
        return f"({plain} || {quote_literal(offset[0])})" if offset and plain else plain
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
    if not isinstance(value.literal, str):
        return value.picture
    found = text_format(value.literal)
    return UUID_FORMATS.get(found, found)


def as_time(value: Value, kind: Kind, picture: str | None) -> str | None:
    """A text of this picture as a value of this kind; None for any other."""
    if value.kind is not Kind.TEXT or value.parameter or picture is None or picture_of(value) != picture:
        return None
    if value.column or (kind is not Kind.UUID and _OFFSET.sub("", picture) not in _PICTURES):
        return None
    if kind is Kind.TIMESTAMPTZ and not has_offset(picture):
        if isinstance(value.literal, str):
            return f"{quote_literal(value.literal + '+00')}::timestamptz"
        return f"({value.sql}::timestamp AT TIME ZONE 'UTC')"
    text = v.bare(value) if value.literal is not None else value.sql
    return f"{text}::{TYPES[kind]}"
