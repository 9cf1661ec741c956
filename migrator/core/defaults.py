"""DEFAULT clauses: the value a literal has in its column, PostgreSQL's expression for the clock and for random ids."""

from __future__ import annotations

import re

from migrator.core.convert import Unfit
from migrator.core.model import Affinity
from migrator.core.names import quote_literal
from migrator.core.plan import ColumnPlan
from migrator.core.values import Value

_STRING = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"", re.DOTALL)
_BLOB = re.compile(r"[xX]'([0-9a-fA-F]*)'")
_INTEGER = re.compile(r"[+-]?\s*\d+", re.ASCII)
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")
_REAL = re.compile(r"[+-]?\s*(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMERIC_TEXT = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

_UTC = "(now() AT TIME ZONE 'utc')"
_SECONDS = f"date_trunc('second', {_UTC})"

# Normalised spellings of the clock, and what they write. to_char because the text's form is part of the data:
# SQLite compares it letter by letter.
_CLOCK = {
    "current_timestamp": "YYYY-MM-DD HH24:MI:SS",
    "datetime('now')": "YYYY-MM-DD HH24:MI:SS",
    "strftime('%y-%m-%d %h:%m:%s','now')": "YYYY-MM-DD HH24:MI:SS",
    "strftime('%y-%m-%dt%h:%m:%sz','now')": 'YYYY-MM-DD"T"HH24:MI:SS"Z"',
    "strftime('%y-%m-%dt%h:%m:%fz','now')": 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"',
    "strftime('%y-%m-%d %h:%m:%f','now')": "YYYY-MM-DD HH24:MI:SS.MS",
    "current_date": "YYYY-MM-DD",
    "date('now')": "YYYY-MM-DD",
    "current_time": "HH24:MI:SS",
    "time('now')": "HH24:MI:SS",
}
_EPOCH = {"unixepoch()", "unixepoch('now')", "strftime('%s','now')", "cast(strftime('%s','now')asinteger)"}
_RANDOM_HEX = {"lower(hex(randomblob(16)))": "{}", "hex(randomblob(16))": "upper({})"}


class UntranslatableDefault(ValueError):
    """The message says why the DEFAULT is not carried."""


def default_sql(text: str, column: ColumnPlan) -> str | None:
    """PostgreSQL's expression for the DEFAULT as written in SQLite; None for NULL. Raises UntranslatableDefault."""
    bare = _without_parentheses(text)
    spelled = re.sub(r"\s*([(),])\s*", r"\1", bare).lower()
    if spelled == "null":
        return None
    if spelled in _CLOCK:
        return _clock(_CLOCK[spelled], column)
    if re.sub(r"\s", "", spelled) in {re.sub(r"\s", "", form) for form in _EPOCH}:
        return _epoch(column, text)
    if spelled in _RANDOM_HEX and column.type.is_text:
        return _RANDOM_HEX[spelled].format("replace(gen_random_uuid()::text, '-', '')")
    return _literal(bare, text, column)


def _without_parentheses(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and _balanced(text[1:-1]):
        text = text[1:-1].strip()
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for letter in re.sub(r"'(?:[^']|'')*'", "", text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            return False
    return depth == 0


def _clock(form: str, column: ColumnPlan) -> str:
    name = column.type.name
    if name == "timestamptz":
        return "date_trunc('second', now())"
    if name == "timestamp":
        return _SECONDS
    if name == "date":
        return f"{_UTC}::date"
    if name == "time":
        return f"{_SECONDS}::time"
    if column.type.is_text:
        return f"to_char({_UTC}, {quote_literal(form)})"
    raise UntranslatableDefault(f"the clock as text does not go into {column.type}")


def _epoch(column: ColumnPlan, text: str) -> str:
    """strftime gives text, which a column of numeric affinity stores as a number."""
    seconds = "floor(extract(epoch FROM now()))::bigint"
    if column.type.name == "timestamptz":
        return "date_trunc('second', now())"
    if column.type.name in ("bigint", "integer", "numeric", "double precision"):
        return seconds
    if column.type.is_text and "strftime" in text.lower():
        return f"({seconds})::text"
    raise UntranslatableDefault(f"seconds since 1970 do not go into {column.type}")


def _literal(bare: str, text: str, column: ColumnPlan) -> str:
    try:
        value = apply_affinity(literal_value(bare), column.affinity)
    except ValueError as error:
        raise UntranslatableDefault(f"{text} is not a literal or a known expression") from error
    try:
        converted = column.conversion().forward(value)
    except Unfit as error:
        raise UntranslatableDefault(str(error)) from error
    return _render(converted, value, column)


def literal_value(text: str) -> Value:
    """The value of a SQLite literal; a name in double quotes is a string here. Raises ValueError for anything else."""
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    if match := _BLOB.fullmatch(text):
        return bytes.fromhex(match[1])
    if match := _STRING.fullmatch(text):
        return match[1].replace("''", "'") if match[1] is not None else match[2].replace('""', '"')
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _INTEGER.fullmatch(text):
        number = int(text.replace(" ", ""))
        return number if -(2**63) <= number < 2**63 else float(number)
    if _REAL.fullmatch(text):
        return float(text.replace(" ", ""))
    if re.fullmatch(r"\w+", text) and not text[0].isdigit():
        return text  # SQLite takes a bare word after DEFAULT for a string
    raise ValueError(text)


def apply_affinity(value: Value, affinity: Affinity) -> Value:
    """What SQLite stores when the value is put into a column of that affinity.

    Raises ValueError for a real in a text column whose spelling differs between versions of SQLite.
    """
    if affinity is not Affinity.BLOB and value == 0.0 and isinstance(value, float):
        value = 0.0  # only a column without affinity keeps the sign of -0.0
    if affinity is Affinity.TEXT and isinstance(value, float) and (value != 0 and not 1e-4 < abs(value) < 1e15):
        raise ValueError(value)
    if affinity is Affinity.TEXT and isinstance(value, (int, float)):
        return str(value)
    if affinity in (Affinity.TEXT, Affinity.BLOB):
        return value
    if isinstance(value, str) and _NUMERIC_TEXT.fullmatch(value):
        return apply_affinity(literal_value(value.strip()), affinity)
    if affinity is Affinity.REAL and isinstance(value, int):
        return float(value)
    if affinity is not Affinity.REAL and isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value


def _render(converted: object, value: Value, column: ColumnPlan) -> str:
    if isinstance(converted, bool):
        return "true" if converted else "false"
    if isinstance(value, float):
        return f"{quote_literal(repr(value))}::{column.type}"
    if isinstance(value, int) and column.type.name in ("smallint", "integer", "bigint", "numeric"):
        return str(value)
    if isinstance(converted, (bytes, bytearray)) and column.type.name == "bytea":
        return quote_literal("\\x" + converted.hex())
    if column.type.name == "text[]":
        items = ", ".join(quote_literal(item) for item in converted)  # type: ignore[attr-defined]  # forward gave a list
        return f"ARRAY[{items}]::text[]"
    if column.type.is_text or column.type.name in ("json", "jsonb", "uuid", "date", "time", "timestamp"):
        return quote_literal(str(converted) if column.type.is_text else str(value))
    return f"{quote_literal(str(converted))}::{column.type}"
