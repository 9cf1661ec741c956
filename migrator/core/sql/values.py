"""Typed pieces of PostgreSQL SQL, and SQLite's rules for bringing two of them together.

SQLite's values carry their type, PostgreSQL's expressions do: a piece may only be used where its kind is certain. What
would depend on SQLite's conversions at run time is declined.
https://www.sqlite.org/datatype3.html#type_conversions_prior_to_comparison
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from migrator.core.model import Affinity
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.sql.placeholders import mark
from migrator.core.sql.postgres_tokens import FREE
from migrator.core.sql.scope import ColumnScope, Kind, Untranslatable

INT64_MAX = 2**63 - 1
LOOKS_NUMERIC = re.compile(r"[ \t-\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t-\r]*", re.ASCII)
_NUMERIC_AFFINITIES = (Affinity.INTEGER, Affinity.REAL, Affinity.NUMERIC)
EXACT_IN_A_DOUBLE = 2**53
UNTYPED = "\ue002"  # stands for the type of a placeholder that is named elsewhere in the statement


@dataclass
class Parameter:
    """A placeholder, and the kinds that its places want of its value: one, if the statement is to be understood.

    looks_matter: SQLite would take a text that looks like a number for one where this stands.
    declared: the kind that is known before its place is looked at. fixed: a CAST gives it a type wherever it stands.
    stored: the columns that it is written into. beside: the columns that it is compared with.
    """

    number: int
    declared: Kind | None = None
    kinds: set[Kind] = field(default_factory=set)
    looks_matter: bool = False
    fixed: bool = False
    stored: list[ColumnScope] = field(default_factory=list)
    beside: list[Value] = field(default_factory=list)


@dataclass(frozen=True)
class Value:
    """A scalar expression. The SQL is an operand: it needs no parentheses of its own wherever it is put."""

    sql: str
    kind: Kind
    collation: str | None = None  # a column's, or an explicit COLLATE; None compares as BINARY
    explicit: bool = False  # the collation was written with COLLATE
    affinity: Affinity | None = None  # a column's or a CAST's
    column: bool = False
    nullable: bool = True
    uniform: bool = True
    mixed: bool = False  # a REAL here that is sometimes an INTEGER in SQLite
    finite: bool = True  # False where an infinity may be stored
    literal: int | float | str | None = None
    parameter: Parameter | None = None
    widened: bool = False  # a column with values of several storage classes, which are all texts now
    never_numeric: bool = False  # a text that surely does not look like a number
    exact: bool = False  # of the type that PostgreSQL gives a literal beside it
    bytewise: bool = False  # PostgreSQL compares it byte for byte without being told
    json: bool | None = False  # what JSON functions take for JSON and no text; None where that is not certain
    picture: str | None = None  # the format of the texts of a date or time, and of a text that is one
    spelling: str | None = None  # of a column, also where it says nothing of an order
    document: str | None = None  # a JSON document and a place in it, whose value has the kind that this place wants
    zone: str | None = None  # whose time the texts of a point in time say
    label: str = ""  # the table and column that it comes from
    summed: bool = False  # a sum of numbers of which each is an INTEGER or a REAL

    @property
    def perhaps_json(self) -> bool | None:
        """Whether JSON functions take it for JSON where it comes through something that may keep that or not."""
        return None if self.json is not False else False

    @property
    def stands_for_number(self) -> bool:
        return self.kind in (Kind.INTEGER, Kind.REAL, Kind.NUMERIC, Kind.BOOLEAN)


NULL = Value("NULL", Kind.NULL)


def in_64_bits(number: int) -> int:
    if number > INT64_MAX:
        raise Untranslatable(f"the integer {number} does not fit in 64 bits")
    return number


def integer(number: int) -> Value:
    in_64_bits(number)
    return Value(str(number), Kind.INTEGER, nullable=False, literal=number)


def real(text: str) -> Value:
    number = float(text)
    if number in (float("inf"), 0.0) and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise Untranslatable(f"the number {text} is out of the range of a double")
    return Value(f"{text}::float8", Kind.REAL, nullable=False, literal=number)


def string(text: str) -> Value:
    if "\0" in text:
        raise Untranslatable("a string with a NUL character")
    return Value(f"{quote_literal(text)}::text", Kind.TEXT, nullable=False, literal=text)


def blob(hexadecimal: str) -> Value:
    return Value(f"'\\x{hexadecimal}'::bytea", Kind.BLOB, nullable=False)


def placeholder(parameter: Parameter) -> Value:
    value = Value(mark(parameter.number), Kind.PARAMETER, parameter=parameter)
    if parameter.declared is None:
        return value
    found = typed(value, parameter.declared)
    return found if found.kind is Kind.BOOLEAN else replace(found, sql=f"{found.sql}::{UNTYPED}")


def typed(value: Value, kind: Kind) -> Value:
    """The value; a placeholder's as one of that kind: drivers send a number's own type, and texts as whatever fits."""
    if value.document is not None:
        return _extracted(value.document, kind)
    if value.kind is not Kind.PARAMETER or value.parameter is None or kind in (Kind.NULL, Kind.PARAMETER):
        return value
    value.parameter.kinds.add(kind)
    # Applications that were written for SQLite say 0 and 1.
    sql = f"({value.sql}::int <> 0)" if kind is Kind.BOOLEAN else value.sql
    return replace(value, sql=sql, kind=kind)


def _extracted(document: str, kind: Kind) -> Value:
    """The value at this place of a JSON document, as one of that kind."""
    if kind is Kind.BOOLEAN:
        return Value(f"(sqlite.json_integer({document}) <> 0)", Kind.BOOLEAN)
    function = _EXTRACTED.get(kind)
    if function is None:
        raise Untranslatable(f"json_extract() as {kind}", "function")
    found = Kind.TEXT if function == "json_text" else kind
    # Of an object or an array SQLite remembers that it is JSON.
    return Value(f"sqlite.{function}({document})", found, exact=True, json=None if found is Kind.TEXT else False)


_EXTRACTED = {
    Kind.TEXT: "json_text",
    Kind.PARAMETER: "json_text",
    Kind.NULL: "json_text",
    Kind.INTEGER: "json_integer",
    Kind.REAL: "json_real",
}


def typed_alike(left: Value, right: Value) -> tuple[Value, Value]:
    if left.document is not None and right.kind is Kind.PARAMETER:
        left = _extracted(left.document, Kind.TEXT)
    if right.document is not None and left.kind is Kind.PARAMETER:
        right = _extracted(right.document, Kind.TEXT)
    if left.kind is right.kind is Kind.PARAMETER:
        raise Untranslatable("two placeholders and nothing that says of which type they are")
    return typed(left, right.kind), typed(right, left.kind)


def column_value(scope: ColumnScope, qualifier: str | None = None, *, free: bool = False) -> Value:
    """A column, qualified by the name of its table in the FROM clause. free: which needs not be there."""
    if scope.declined:
        raise Untranslatable(f"the column {scope.source} of a JSON function in this place", "function")
    name, widened = quote_identifier(scope.target), not (scope.uniform or scope.restored)
    if scope.document:
        found = f"{quote_identifier(qualifier)}.{name}" if qualifier is not None else name
        return Value("", Kind.PARAMETER, document=found, json=scope.json)
    if scope.kind is Kind.INTEGER and scope.affinity is Affinity.REAL:
        scope = replace(scope, uniform=False)  # SQLite calculates with doubles
    return Value(
        f"{FREE if free else ''}{quote_identifier(qualifier)}.{name}" if qualifier is not None else name,
        scope.kind,
        collation=scope.collation.upper(),
        affinity=scope.affinity,
        column=True,
        nullable=scope.nullable,
        uniform=scope.uniform and _agrees(scope),
        widened=widened,
        mixed=scope.kind is Kind.REAL and scope.affinity is not Affinity.REAL and not scope.real,
        finite=scope.kind is not Kind.REAL,
        exact=scope.exact,
        bytewise=scope.bytewise,
        json=scope.json,
        picture=scope.picture,
        spelling=scope.spelling,
        zone=scope.zone,
        label=scope.label,
        summed=scope.summed,
    )


def _agrees(scope: ColumnScope) -> bool:
    """A TEXT column that became a number compared its digits as text in SQLite."""
    if scope.kind in (Kind.INTEGER, Kind.REAL, Kind.NUMERIC, Kind.BOOLEAN):
        return scope.affinity is not Affinity.TEXT
    return True


def truth(value: Value) -> str:
    """The value where a condition is expected: 0 is false, every other number is true."""
    if value.kind is Kind.NULL:
        return "NULL::boolean"
    value = require(typed(value, Kind.BOOLEAN))
    if value.kind is Kind.BOOLEAN:
        return value.sql
    if not value.stands_for_number:
        raise Untranslatable(f"{value.kind} used as a condition")
    return f"({value.sql} <> 0)"


def condition(sql: str, *, nullable: bool = True) -> Value:
    return Value(sql, Kind.BOOLEAN, nullable=nullable)


def require(value: Value) -> Value:
    """The value, if SQLite's type of it is certain."""
    if not value.uniform:
        raise Untranslatable(
            f"{value.sql.replace(FREE, '')} does not hold one storage class",
            next_step="Say what it is to be: CAST(… AS TEXT) or another; or give the column one type in the plan.",
        )
    return value


def number(value: Value) -> Value:
    """The value as an operand of arithmetic: bigint or double precision."""
    require(value)
    if value.parameter is not None and value.kind in (Kind.INTEGER, Kind.REAL, Kind.NUMERIC):
        return value  # of whichever type the call gives
    if value.kind is Kind.NULL:
        return Value("NULL::bigint", Kind.INTEGER)
    if value.kind is Kind.BOOLEAN:
        return Value(f"{value.sql}::int::bigint", Kind.INTEGER, nullable=value.nullable)
    if value.kind is Kind.INTEGER:
        return value if value.exact else replace(value, sql=_cast(value.sql, "bigint"), exact=True)
    if value.kind in (Kind.REAL, Kind.NUMERIC):
        return value
    raise Untranslatable(f"arithmetic with {value.kind}")


def beside(value: Value, other: Value) -> Value:
    """The value; a literal as it is written where the other one tells PostgreSQL its type."""
    if value.literal is None or value.parameter or not other.exact or other.literal is not None:
        return value
    return replace(value, sql=bare(value)) if value.kind is other.kind or value.kind is Kind.INTEGER else value


def bare(value: Value) -> str:
    """A literal's SQL without its type."""
    if isinstance(value.literal, str):
        return quote_literal(value.literal)
    if isinstance(value.literal, int):
        return str(value.literal) if value.literal >= 0 else f"({value.literal})"
    return value.sql.removesuffix("::float8")


def converted(value: Value, affinity: Affinity | None) -> Value:
    """A literal as that affinity makes it: https://www.sqlite.org/datatype3.html#type_affinity"""
    if value.explicit or isinstance(value.literal, bool) or value.literal is None:
        return value
    if affinity in _NUMERIC_AFFINITIES and isinstance(value.literal, str):
        return _numeric(value.literal) if LOOKS_NUMERIC.fullmatch(value.literal) else value
    if affinity is Affinity.TEXT and isinstance(value.literal, int):
        return string(str(value.literal))
    return value


def _numeric(text: str) -> Value:
    number = float(text)
    if number.is_integer() and abs(number) <= EXACT_IN_A_DOUBLE:
        return integer(int(number))
    digits = text.strip()
    if digits.lstrip("+-").isdigit() and -INT64_MAX <= int(digits) <= INT64_MAX:
        return integer(int(digits))
    return real(repr(number))


def divisor(right: Value, operator: str) -> str:
    """The right operand's SQL: x / 0 is NULL in SQLite."""
    if operator not in ("/", "%") or (right.literal is not None and right.literal != 0):
        return right.sql
    return f"NULLIF({right.sql}, 0)"


def operands(left: Value, right: Value) -> tuple[Value, Value]:
    """Both sides of an arithmetic operator."""
    if Kind.PARAMETER in (left.kind, right.kind):
        left, right = typed_alike(left, right)
    one, other = number(left), number(right)
    return beside(one, other), beside(other, one)


def any_kind(value: Value) -> str:
    """The value where its type says nothing; PostgreSQL wants one even there."""
    if value.document is not None:
        return f"NULLIF(sqlite.json_type({value.document}), 'null')"
    if value.kind is not Kind.PARAMETER:
        return value.sql
    return f"{value.sql}::{UNTYPED}"


def real_arithmetic(left: Value, operator: str, right: Value) -> Value:
    """Both as doubles, if at least one surely is one."""
    if operator == "%":
        raise Untranslatable("% with REAL operands")
    sides = [side for side in (left, right) if side.kind is Kind.REAL and not side.mixed]
    if not sides:
        raise Untranslatable("arithmetic whose type depends on the row")
    one, other = _as_double(left, right), _as_double(right, left)
    sql = f"({one.sql} {operator} {divisor(other, operator)})"
    exact = one.exact or other.exact
    if one.finite and other.finite:
        return Value(sql, Kind.REAL, exact=exact)
    # Inf - Inf is NaN, which SQLite stores as NULL.
    return Value(f"NULLIF({sql}, 'NaN'::float8)", Kind.REAL, finite=False, exact=exact)


def _as_double(value: Value, other: Value) -> Value:
    if value.kind is Kind.REAL or (value.literal is not None and other.exact and other.kind is Kind.REAL):
        return value
    return replace(value, sql=f"{value.sql}::float8")


def settled(value: Value) -> Value:
    """The value as a result: a comparison's truth is the number 1 or 0, an integer is a bigint."""
    if value.explicit:
        raise Untranslatable("COLLATE outside a comparison")
    if value.document is not None:
        return _extracted(value.document, Kind.TEXT)
    if value.kind is Kind.PARAMETER:
        raise Untranslatable("a placeholder in a place that gives it no type: CAST(? AS TEXT) would")
    if value.kind is Kind.BOOLEAN and not value.column and value.parameter is None:
        return number(value)
    if value.literal is not None and value.kind is Kind.INTEGER:
        return number(value)
    return value


def text(value: Value) -> str:
    """The value as an operand of a string function that takes numbers too."""
    value = require(typed(value, Kind.TEXT))
    if value.kind is Kind.TEXT:
        return value.sql
    if value.kind is Kind.NULL:
        return "NULL::text"
    if value.kind in (Kind.INTEGER, Kind.BOOLEAN):
        return f"{number(value).sql}::text"
    raise Untranslatable(f"{value.kind} used as text")


def _cast(sql: str, type_name: str) -> str:
    cast = f"::{type_name}"
    negative = sql.startswith("-")
    return sql if sql.endswith(cast) and not negative else f"({sql}){cast}" if negative else sql + cast


def require_groupable(value: Value) -> Value:
    """The value, if PostgreSQL's equality makes the same groups, and no group has more than one spelling."""
    require(value)
    if value.kind is Kind.TEXT and (value.collation or "BINARY") != "BINARY":
        raise Untranslatable(
            f"DISTINCT values under {value.collation}: which of several spellings is shown is not said",
            next_step="Say which: min(column) with GROUP BY, or lower(column).",
        )
    known = value.kind is Kind.TIMESTAMPTZ and value.picture is not None  # equal points in time are equal texts
    if value.kind in (Kind.JSON, Kind.JSONB, Kind.TEXT_ARRAY, Kind.TIMESTAMPTZ) and not known:
        raise Untranslatable(f"groups of {value.kind}")
    return value
