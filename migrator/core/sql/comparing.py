"""What brings two values together so that PostgreSQL's operator gives what SQLite's gives, and in which order they are.

https://www.sqlite.org/datatype3.html#type_conversions_prior_to_comparison
"""

from __future__ import annotations

from collections.abc import Callable

from migrator.core.model import Affinity, fold
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.times import CALENDAR, TYPES, as_time, has_offset, is_in_order, spelt
from migrator.core.sql.values import (
    EXACT_IN_A_DOUBLE,
    LOOKS_NUMERIC,
    Value,
    any_kind,
    beside,
    converted,
    number,
    require,
    require_groupable,
    string,
    typed_alike,
)

_NUMERIC_AFFINITIES = (Affinity.INTEGER, Affinity.REAL, Affinity.NUMERIC)
_TIMES = (*CALENDAR, Kind.TIMESTAMPTZ)
_KINDS_WITH_ONE_ORDER = (Kind.INTEGER, Kind.REAL, Kind.NUMERIC, Kind.TEXT, Kind.BLOB, Kind.BOOLEAN)


def compared(left: Value, right: Value, *, order: bool) -> tuple[str, str]:
    """Both sides, so that PostgreSQL's operator gives what SQLite's gives. `order`: the operator is not an equality."""
    left, right = typed_alike(require(left), require(right))
    _require_no_number(left, right)
    _note_places(left, right)
    left, right = _as_compared(left, right), _as_compared(right, left)
    if Kind.NULL in (left.kind, right.kind):
        return any_kind(left), any_kind(right)
    if left.stands_for_number and right.stands_for_number:
        return _compared_numbers(left, right)
    if Kind.TEXT in (left.kind, right.kind) and left.kind is not right.kind:
        found = _compared_times(left, right, order=order)
        if found is not None:
            return found
    if left.kind is not right.kind:
        return _compared_spellings(left, right, order=order)
    if left.kind is Kind.TEXT:
        return _compared_texts(left, right, order=order)
    if left.kind is Kind.BLOB or (left.kind is Kind.UUID and not order and _uuids_of_one_form(left, right)):
        return left.sql, right.sql
    if left.kind in TYPES and _are_of_one_spelling(left, right):
        return left.sql, right.sql
    return _compared_spellings(left, right, order=order)


def _compared_spellings(left: Value, right: Value, *, order: bool) -> tuple[str, str]:
    """Two columns of times as the texts that they were."""
    one, other = spelt(left), spelt(right)
    if left.column and right.column and one.kind is other.kind is Kind.TEXT:
        return _compared_texts(one, other, order=order)
    if left.kind is right.kind is Kind.TIMESTAMPTZ and (left.parameter or right.parameter):
        raise Untranslatable(
            "an argument compared with texts that do not say their zone: PostgreSQL would read it in the session's",
            next_step="Write (%s::timestamp AT TIME ZONE 'UTC') by hand, where it is spelt as the column's texts are.",
        )
    raise Untranslatable(f"{left.kind} compared with {right.kind}")


def _require_no_number(left: Value, right: Value) -> None:
    """SQLite's texts of dates and times are greater than every number, also than one that it makes of a literal."""
    for time, other in ((left, right), (right, left)):
        number = _as_compared(other, time)
        if time.kind not in _TIMES or not time.column or not number.stands_for_number:
            continue
        made = f"SQLite makes a number of {other.literal!r} here, and " if isinstance(other.literal, str) else ""
        raise Untranslatable(
            f"{made}a date or time, which is a text in SQLite, is greater than every number",
            next_step=f"Compare it with a text that is spelt as the column's are: {time.picture or 'YYYY-MM-DD …'}.",
        )


def _uuids_of_one_form(left: Value, right: Value) -> bool:
    return not (left.column and right.column) or left.picture == right.picture


def _are_of_one_spelling(left: Value, right: Value) -> bool:
    """Texts of one spelling are in the order of time. An argument has to be in the column's."""
    if left.column and right.column:
        return left.picture is not None and left.picture == right.picture and is_in_order(left)
    for one, other in ((left, right), (right, left)):
        if one.column and other.parameter:
            return is_in_order(one) and (one.kind is not Kind.TIMESTAMPTZ or has_offset(one.picture))
    return False


def _note_places(left: Value, right: Value) -> None:
    for one, other in ((left, right), (right, left)):
        if one.column and other.parameter is not None:
            other.parameter.beside.append(one)


def _compared_times(left: Value, right: Value, *, order: bool) -> tuple[str, str] | None:
    """A column of times with a text: as times where both have one picture, as texts otherwise."""
    for one, other in ((left, right), (right, left)):
        time = as_time(other, one.kind, one.picture) if one.column and one.kind in TYPES else None
        if time is not None and is_in_order(one):
            return (one.sql, time) if one is left else (time, one.sql)
    one, other = spelt(left), spelt(right)
    return _compared_texts(one, other, order=order) if one.kind is other.kind is Kind.TEXT else None


def _as_compared(value: Value, other: Value) -> Value:
    """A literal as the affinity of the other side makes it; texts of numeric affinity have rules of their own."""
    held_as_text = other.kind is Kind.TEXT and other.affinity is not Affinity.TEXT
    return value if held_as_text else converted(value, other.affinity)


def _compared_numbers(left: Value, right: Value) -> tuple[str, str]:
    if Kind.BOOLEAN in (left.kind, right.kind):
        return _compared_booleans(left, right)
    left, right = beside(left, right), beside(right, left)
    kinds = {left.kind, right.kind}
    if kinds == {Kind.INTEGER, Kind.REAL} or kinds == {Kind.NUMERIC, Kind.REAL}:
        _require_exact(left, right)
    return left.sql, right.sql


def _compared_booleans(left: Value, right: Value) -> tuple[str, str]:
    if left.kind is right.kind:
        return left.sql, right.sql
    constants = {0: "FALSE", 1: "TRUE"}
    one, other = (left, right) if left.kind is Kind.BOOLEAN else (right, left)
    if other.kind is not Kind.INTEGER:
        raise Untranslatable(f"a boolean compared with {other.kind}")
    if isinstance(other.literal, int) and other.literal in constants:
        sides = (one.sql, constants[other.literal])
        return sides if one is left else (sides[1], sides[0])
    return number(left).sql, number(right).sql


def _require_exact(left: Value, right: Value) -> None:
    """SQLite compares an integer with a double exactly, PostgreSQL rounds the integer to a double first."""
    literals = [side.literal for side in (left, right) if isinstance(side.literal, int | float)]
    if not any(abs(number) < EXACT_IN_A_DOUBLE for number in literals):
        raise Untranslatable("an INTEGER compared with a REAL, which PostgreSQL rounds")


def _compared_texts(left: Value, right: Value, *, order: bool) -> tuple[str, str]:
    _require_no_conversion(left, right, order=order)
    collation = comparison_collation(left, right)
    if collation == "BINARY" and (not order or _is_bytewise(left, right)):
        return beside(left, right).sql, beside(right, left).sql
    return collated(left, collation, order=order), collated(right, collation, order=order)


def _is_bytewise(left: Value, right: Value) -> bool:
    """A column of the collation C decides for literals and placeholders too."""
    return all(side.bytewise or side.literal is not None or side.parameter for side in (left, right)) and (
        left.bytewise or right.bytewise
    )


def _require_no_conversion(left: Value, right: Value, *, order: bool) -> None:
    for one, other in ((left, right), (right, left)):
        if one.affinity not in _NUMERIC_AFFINITIES or other.affinity in _NUMERIC_AFFINITIES:
            continue
        if isinstance(other.literal, str):
            if LOOKS_NUMERIC.fullmatch(other.literal):
                raise Untranslatable(f"SQLite converts {other.literal!r} to a number here")
        elif order and other.parameter is not None:
            other.parameter.looks_matter = True
        elif order and not other.never_numeric:
            raise Untranslatable("texts of numeric and of text affinity compared for order")


def comparison_collation(left: Value, right: Value) -> str:
    """An explicit COLLATE first, then a column's, each the left one before the right one."""
    for explicit in (True, False):
        for side in (left, right):
            if side.collation is not None and side.explicit == explicit and (explicit or side.column):
                return side.collation
    return "BINARY"


def collated(value: Value, collation: str, *, order: bool) -> str:
    """The text as something that PostgreSQL compares byte for byte and SQLite's collation calls equal.

    A literal is converted here: PostgreSQL 15 to 18 refuse lower('A' COLLATE "C") in the constant part of an index.
    """
    if collation not in _KEYS:
        raise Untranslatable(f"the collation {collation}")
    if collation == "BINARY" and value.bytewise:
        return value.sql
    in_python, in_postgresql = _KEYS[collation]
    if isinstance(value.literal, str):
        key = string(in_python(value.literal)).sql
        return f'({key} COLLATE "C")' if order and collation == "BINARY" else key
    return in_postgresql[order].format(value.sql)


# For an equality, for an order: under NOCASE and RTRIM the key itself is already compared under "C".
_KEYS: dict[str, tuple[Callable[[str], str], tuple[str, str]]] = {
    "BINARY": (str, ("{}", '({} COLLATE "C")')),
    "NOCASE": (fold, ('lower({} COLLATE "C")', 'lower({} COLLATE "C")')),
    "RTRIM": (lambda text: text.rstrip(" "), ("rtrim({} COLLATE \"C\", ' ')", "rtrim({} COLLATE \"C\", ' ')")),
}


def group_key(value: Value) -> str:
    """What PostgreSQL makes the same groups of. Under NOCASE and RTRIM a group has several spellings."""
    if value.kind is Kind.TEXT and (value.collation or "BINARY") != "BINARY":
        return collated(require(value), value.collation or "", order=False)
    return require_groupable(value).sql


def sort_key(value: Value) -> str:
    """The value as ORDER BY, min() and max() compare it."""
    require(value)
    if value.kind is Kind.TEXT:
        return collated(value, value.collation or "BINARY", order=True)
    if value.kind in _KINDS_WITH_ONE_ORDER or value.kind in (*CALENDAR, Kind.UUID) or is_in_order(value):
        return value.sql
    if value.kind is Kind.TIMESTAMPTZ:
        raise Untranslatable("the order of texts in a zone whose clocks are changed", next_step=_ZONE)
    raise Untranslatable(f"the order of {value.kind}")


_ZONE = "Order by it in PostgreSQL's own way, by the points in time, and rewrite the statement by hand."
