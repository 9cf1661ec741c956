"""Conversions as pairs: forward makes the PostgreSQL value, inverse gives the source's value and storage class back.

A conversion is lossless if the inverse of what PostgreSQL returns is the source's value, exact in type and bits. That
is checked value by value on the way in, and again over what the target holds when a run is verified. Two conversions
are not lossless but *normalised*: jsonb and text[] keep what the JSON means and not its bytes; for them both sides are
compared in one canonical form.

Where `fast` is None the value goes straight from SQLite to the server: a wrong type is refused by the encoder or by the
server, and the range is then repeated carefully. psycopg's binary dumpers do not refuse everything (int2 70000 becomes
4464, bool 2 true, float8 2**53+1 is rounded), so those columns have a `fast` that checks before encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from migrator.core.convert import documents, numbers, texts, times
from migrator.core.convert.documents import canonical_json
from migrator.core.convert.pair import NO_OPTIONS, Conversion, Forward, Inverse, Options, Unfit, is_same
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType

__all__ = [
    "NO_OPTIONS",
    "Conversion",
    "Forward",
    "Inverse",
    "Options",
    "Unfit",
    "canonical_json",
    "conversion",
    "is_same",
]


def conversion(pg: PgType, options: Options = NO_OPTIONS, affinity: Affinity = Affinity.BLOB) -> Conversion:
    """The conversion into that type. Raises ValueError if the options do not go with the type."""
    try:
        make = _MAKERS[pg.name]
    except KeyError as error:
        raise ValueError(f"no conversion into {pg}") from error
    return make(pg, options, affinity)


_MAKERS: dict[str, Callable[[PgType, Options, Affinity], Conversion]] = {
    "smallint": partial(numbers.integer, 16),
    "integer": partial(numbers.integer, 32),
    "bigint": partial(numbers.integer, 64),
    "double precision": numbers.double,
    "numeric": numbers.numeric,
    "text": texts.text,
    "varchar": texts.varchar,
    "char": texts.char,
    "bytea": texts.bytea,
    "boolean": numbers.boolean,
    "date": times.date_only,
    "time": times.time_of_day,
    "timestamp": times.timestamp,
    "timestamptz": times.timestamptz,
    "uuid": documents.uuid,
    "json": documents.json_text,
    "jsonb": documents.jsonb,
    "text[]": documents.text_array,
}
