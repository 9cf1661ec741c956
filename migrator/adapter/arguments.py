"""A call's arguments → what PostgreSQL is sent, or Unfit where that would be another value than SQLite's.

A value that does not have the type of its place is not converted here: SQLite's conversions depend on the place, so it
is written into the statement as a literal, and the translation decides.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from migrator.core.convert import Conversion, Unfit
from migrator.core.model import Affinity
from migrator.core.plan import ColumnPlan
from migrator.core.values import show

Plain = int | float | str | bytes | None
Encoder = Callable[[Any], bytes]

TEXT_OID, BIGINT_OID, DOUBLE_OID, NUMERIC_OID, BYTEA_OID = 0, 20, 701, 1700, 17
OIDS = {"bigint": BIGINT_OID, "double precision": DOUBLE_OID, "numeric": NUMERIC_OID, "bytea": BYTEA_OID}
_FAMILIES = {"smallint": "bigint", "integer": "bigint", "varchar": "text", "char": "text"}
_COUNTED = (Affinity.NUMERIC, Affinity.INTEGER)
_EXACT_IN_A_DOUBLE = 2**53
_LOOKS_NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_PLAIN_TYPES = frozenset({int, float, str, bytes, type(None)})


def plain(value: Any, number: int) -> Plain:
    """The value as SQLite binds it. Raises sqlite3.ProgrammingError for one that it cannot."""
    if type(value) in _PLAIN_TYPES:
        return value  # type: ignore[no-any-return]  # the line above has looked
    adapted = sqlite3.adapt(value, sqlite3.PrepareProtocol, value)
    if isinstance(adapted, int):
        return int.__int__(adapted)
    if isinstance(adapted, float):
        return float.__float__(adapted)
    if isinstance(adapted, str):
        return str.__str__(adapted)
    if isinstance(adapted, bytes | bytearray | memoryview):
        return bytes(adapted)
    if adapted is None:
        return None
    raise sqlite3.ProgrammingError(f"Error binding parameter {number}: type '{type(value).__name__}' is not supported")


def literal(value: Plain) -> str:
    """The value in SQLite's SQL. Raises sqlite3.DataError for a text with a NUL, which PostgreSQL cannot hold."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        without_nul(value)
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and math.isinf(value):
        return "9e999" if value > 0 else "(-9e999)"
    return f"({value!r})" if value < 0 or str(value)[0] == "-" else repr(value)


def without_nul(text: str) -> str:
    """Raises sqlite3.DataError."""
    if "\0" in text:
        raise sqlite3.DataError("A text holds a NUL character (U+0000), which PostgreSQL cannot store.")
    return text


def encoder(expected: str | None, columns: Sequence[ColumnPlan], *, shown: bool = False) -> Encoder:
    """What makes bytes of a value that is not None. `columns` are those that the statement reads or writes.

    `shown`: the value may come out again, where 1 and 1.0 are not the same; elsewhere it is stored or compared.
    """
    same = [column for column in columns if family(column.type.name) == expected]
    if expected in _NUMBERS:
        return _NUMBERS[expected](same, shown)
    return _ENCODERS.get(expected or "", _converted)(same)


def family(type_name: str) -> str:
    """The type that stands for this one where arguments are concerned."""
    return _FAMILIES.get(type_name, type_name)


def _of_any_type(_: Sequence[ColumnPlan]) -> Encoder:
    """Where only NULL or not NULL is asked."""

    def encode(value: Plain) -> bytes:
        if isinstance(value, bytes):
            raise Unfit("a blob where nothing says of which type the value is")
        return without_nul(str(value)).encode()

    return encode


def _integers(columns: Sequence[ColumnPlan]) -> Encoder:
    converted = any(column.affinity in (Affinity.REAL, Affinity.TEXT) for column in columns)

    def encode(value: Plain) -> bytes:
        if type(value) is not int or converted:
            raise _unfit(value, "an integer")
        if not -(2**63) <= value < 2**63:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return b"%d" % value

    return encode


def _doubles(columns: Sequence[ColumnPlan], shown: bool) -> Encoder:
    affinities = {column.affinity for column in columns}
    floats, integers = Affinity.TEXT not in affinities, not (shown or affinities & {Affinity.TEXT, Affinity.BLOB})
    signed_zero = affinities <= {Affinity.BLOB}
    counted = not affinities.isdisjoint(_COUNTED)

    def encode(value: Plain) -> bytes:
        if type(value) is float and floats:
            if counted and value.is_integer() and abs(value) > _EXACT_IN_A_DOUBLE:
                raise _unfit(value, "a number that is the same as an integer")
            if value == 0.0 and not signed_zero:
                if Affinity.BLOB in affinities:
                    raise sqlite3.DataError("Nothing says whether SQLite would keep the sign of this zero.")
                return b"0.0"
            return repr(value).encode()
        if type(value) is int and integers and abs(value) <= _EXACT_IN_A_DOUBLE:
            return b"%d" % value
        raise _unfit(value, "a real")

    return encode


def _decimals(columns: Sequence[ColumnPlan], shown: bool) -> Encoder:
    conversions = _conversions(columns)
    counted = all(column.affinity in _COUNTED for column in columns)

    def encode(value: Plain) -> bytes:
        if shown and type(value) is float and value.is_integer():
            raise _unfit(value, "a number that is no integer")
        if type(value) is float and value.is_integer() and abs(value) < 2**63 and counted:
            value = int(value)
        if type(value) not in (int, float) or (isinstance(value, float) and not math.isfinite(value)):
            raise _unfit(value, "a number")
        if conversions:
            return str(_agreed(conversions, value)).encode()
        return str(Decimal(repr(value))).encode()

    return encode


def _texts(columns: Sequence[ColumnPlan]) -> Encoder:
    """Raises sqlite3.DataError for what a literal would not be refused for either, but changed."""
    shortest = min((column.type.arguments[0] for column in columns if column.type.arguments), default=None)
    padded = {column.type.arguments[0] for column in columns if column.type.name == "char" and column.type.arguments}
    numeric = any(column.affinity not in (Affinity.TEXT, Affinity.BLOB) or column.options.holds for column in columns)

    def encode(value: Plain) -> bytes:
        if type(value) is not str:
            raise _unfit(value, "a text")
        if shortest is not None and len(value) > shortest and not value[shortest:].strip(" "):
            raise sqlite3.DataError(f"PostgreSQL would cut the spaces at the end of {show(value)}.")
        if padded - {len(value)}:
            raise sqlite3.DataError(f"PostgreSQL would pad {show(value)} with spaces, because of a char(n).")
        if numeric and _LOOKS_NUMERIC.fullmatch(value):
            raise _a_number(value)
        return without_nul(value).encode()

    return encode


def _a_number(value: str) -> sqlite3.DataError:
    return sqlite3.DataError(f"SQLite makes a number of {show(value)} here, and the column holds texts.")


def _blobs(columns: Sequence[ColumnPlan]) -> Encoder:
    conversions = _conversions(columns)

    def encode(value: Plain) -> bytes:
        if conversions:
            result = _agreed(conversions, value)
            assert isinstance(result, bytes)
            return result
        if type(value) is not bytes:
            raise _unfit(value, "a blob")
        return value

    return encode


def _booleans(columns: Sequence[ColumnPlan]) -> Encoder:
    conversions = _conversions(columns)

    def encode(value: Plain) -> bytes:
        if conversions:
            return b"1" if _agreed(conversions, value) else b"0"
        if value not in (0, 1) or type(value) is not int:
            raise _unfit(value, "0 or 1")
        return b"%d" % value

    return encode


def _converted(columns: Sequence[ColumnPlan]) -> Encoder:
    """Times, UUIDs and JSON: in the spelling that SQLite held."""
    conversions = _conversions(columns)
    numeric = any(column.affinity not in (Affinity.TEXT, Affinity.BLOB) for column in columns)

    def encode(value: Plain) -> bytes:
        if not conversions:
            raise _unfit(value, "a value of a column of the statement")
        if numeric and isinstance(value, str) and _LOOKS_NUMERIC.fullmatch(value):
            raise _a_number(value)
        result = _agreed(conversions, value)
        if isinstance(result, bytes):
            return result.removeprefix(b"\x01")  # jsonb's own form
        return (_array(result) if isinstance(result, list) else str(result)).encode()

    return encode


def _array(items: list[str | None]) -> str:
    quoted = ("NULL" if item is None else '"' + re.sub(r'(["\\])', r"\\\1", item) + '"' for item in items)
    return "{" + ",".join(quoted) + "}"


_NUMBERS = {"double precision": _doubles, "numeric": _decimals}
_ENCODERS: dict[str, Callable[[Sequence[ColumnPlan]], Encoder]] = {
    "": _of_any_type,
    "bigint": _integers,
    "text": _texts,
    "bytea": _blobs,
    "boolean": _booleans,
}


def _conversions(columns: Sequence[ColumnPlan]) -> list[Conversion]:
    different = {(column.type, column.options, column.affinity): column for column in columns}
    return [column.conversion() for column in different.values()]


def _agreed(conversions: Sequence[Conversion], value: Plain) -> object:
    """What all of them make of the value: nothing says in which of the columns' places it stands. Raises Unfit."""
    first, *others = [conversion.forward(value) for conversion in conversions]
    if any(other != first for other in others):
        raise Unfit(f"columns of several spellings, to which {show(value)} means different things")
    return first


def _unfit(value: object, wanted: str) -> Unfit:
    return Unfit(f"{show(value)} is not {wanted}")


# -- the call ----------------------------------------------------------------------------------------------------------


def given(arguments: Sequence[Any] | Mapping[str, Any], names: Sequence[str | None]) -> list[Plain]:
    """The values by their numbers. `names` has an entry for each number of the statement, None for `?`.

    Raises sqlite3.ProgrammingError where sqlite3 does.
    """
    if type(arguments) is not tuple and isinstance(arguments, Mapping):
        if None in names:
            raise sqlite3.ProgrammingError(
                f"Binding {names.index(None) + 1} has no name, but you supplied a dictionary (which has only names)."
            )
        return [plain(_named(arguments, name or ""), place) for place, name in enumerate(names, 1)]
    if len(arguments) != len(names):
        raise sqlite3.ProgrammingError(
            "Incorrect number of bindings supplied. The current statement uses "
            f"{len(names)}, and there are {len(arguments)} supplied."
        )
    return [plain(value, place) for place, value in enumerate(arguments, 1)]


def _named(arguments: Mapping[str, Any], name: str) -> Any:
    try:
        return arguments[name]
    except KeyError:
        raise sqlite3.ProgrammingError(f"You did not supply a value for binding parameter :{name}.") from None
