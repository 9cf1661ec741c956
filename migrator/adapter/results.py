"""PostgreSQL's values → SQLite's, by the column that a result's column is, or by what its type can only mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from migrator.adapter.arguments import family
from migrator.core.convert import Unfit
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan
from migrator.core.way_back import column_back, invert

Reader = Callable[[Any], Any]

JSON, JSONB = 114, 3802
_TYPES = {
    16: "boolean", 17: "bytea", 18: "text", 19: "text", 20: "bigint", 21: "bigint", 23: "bigint", 25: "text",
    114: "json", 701: "double precision", 705: "text", 1009: "text[]", 1042: "text", 1043: "text", 1082: "date",
    1083: "time", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
}  # fmt: skip
_THE_SAME = ("bigint", "text", "bytea")


def reader(oid: int, column: ColumnPlan | None, columns: Sequence[ColumnPlan], *, real: bool = False) -> Reader | None:
    """None where the value stays as it is. Raises sqlite3.NotSupportedError for a type that nothing explains.

    `column` is the one that the result's column is; `columns` are all that the statement reads. `real`: what is a
    double is a REAL in every row of SQLite's.
    """
    if column is not None:
        return _of_column(column)
    name = _TYPES.get(oid)
    if name is None:
        raise sqlite3.NotSupportedError(
            f"A result of PostgreSQL's type {oid}, which SQLite does not have (result-type)."
        )
    same = {
        (item.type, item.options, item.affinity): item for item in columns if family(item.type.name) == family(name)
    }
    if name == "double precision":
        return None if real else _perhaps_counted
    if name == "numeric":
        return _sum_with_scale if any(kind.arguments for kind, _, _ in same) else _number
    if name in _THE_SAME:
        if any(options.holds for _, options, _ in same):
            raise _unclear(name)
        return None
    if name == "boolean" and not same:
        return int_of
    if len(same) != 1:
        raise _unclear(name)
    return _of_column(next(iter(same.values())))


def _unclear(name: str) -> sqlite3.NotSupportedError:
    return sqlite3.NotSupportedError(f"A result of the type {name}, of which SQLite had several kinds. (result-type)")


def _of_column(column: ColumnPlan) -> Reader | None:
    if column.type == PgType("boolean") and column.options.true is None:
        return int_of
    inverse = column_back(column).inverse
    if inverse is None:
        return None

    def read(value: Any) -> Any:
        if value is None:
            return None
        try:
            return invert(inverse, value)
        except Unfit as error:
            raise sqlite3.DataError(f"{column.target}: {error}.") from error

    return read


def int_of(value: Any) -> Any:
    return None if value is None else int(value)


def _perhaps_counted(value: Any) -> Any:
    """A double over columns in which SQLite keeps whole numbers as integers."""
    if isinstance(value, float) and value.is_integer():
        raise sqlite3.NotSupportedError(f"SQLite could have {int(value)} or {value} here: use CAST (result-type).")
    return value


def _number(value: Any) -> Any:
    """Integers have no scale, and what has one was a REAL in SQLite, or became one."""
    if value is None:
        return None
    assert isinstance(value, Decimal)
    return int(value) if value.as_tuple().exponent == 0 and abs(value) < 2**63 else float(value)


def _sum_with_scale(value: Any) -> Any:
    if (
        value is not None
        and value.is_finite()
        and value == value.to_integral_value()
        and value.as_tuple().exponent != 0
    ):
        raise sqlite3.NotSupportedError(
            f"SQLite could have {int(value)} or {float(value)} here: use CAST (result-type)."
        )
    return _number(value)
