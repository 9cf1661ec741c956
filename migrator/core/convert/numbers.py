"""Integers, reals, decimals, and the booleans that SQLite stores as integers or words."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import partial

from migrator.core.convert.pair import Conversion, Options, is_same, only, unfit
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType
from migrator.core.values import Value, show


def integer(bits: int, pg: PgType, _: Options, __: Affinity) -> Conversion:
    least, most = -(1 << bits - 1), (1 << bits - 1) - 1

    def forward(value: Value) -> object:
        if value is None or (type(value) is int and least <= value <= most):
            return value
        raise unfit(value, f"a {pg}")

    return Conversion(f"int{bits // 8}", forward, None, None if bits == 64 else forward)


def double(_: PgType, __: Options, affinity: Affinity) -> Conversion:
    """REAL affinity never yields an integer, so nothing is checked; elsewhere an integer must come back as one."""
    if affinity is Affinity.REAL:
        return Conversion("float8", only(float, "a double precision"), None)
    if affinity in (Affinity.NUMERIC, Affinity.INTEGER):
        return Conversion("float8", _number_to_double, _double_to_number, _number_to_double)
    forward = only(float, "a double precision")
    return Conversion("float8", forward, None, forward)


def _number_to_double(value: Value) -> object:
    if value is None:
        return None
    if type(value) in (int, float):
        double = float(value)  # type: ignore[arg-type]  # the line above leaves only numbers
        if is_same(_double_to_number(double), value):
            return double
    raise unfit(value, "a double precision that gives the same number back")


def _double_to_number(value: object) -> Value:
    """NUMERIC and INTEGER affinity store a real without a fraction as an integer, if it fits in 48 bits or exactly."""
    assert value is None or isinstance(value, float)
    if value is None or not value.is_integer() or abs(value) > 2**53 or is_same(value, -0.0):
        return value
    return int(value)


def numeric(pg: PgType, _: Options, affinity: Affinity) -> Conversion:
    precision, scale = (*pg.arguments, 0, 0)[:2]
    inverse = partial(_decimal_to_number, affinity)

    def forward(value: Value) -> object:
        if value is None:
            return None
        if type(value) not in (int, float):
            raise unfit(value, f"a {pg}")
        number = _decimal(value)  # type: ignore[arg-type]  # the line above leaves only numbers
        if pg.arguments:
            if not _fits_scale(number, precision, scale):
                raise unfit(value, f"a {pg}")
            number = round(number, scale)  # as PostgreSQL will return it
        if is_same(value, -0.0) or not is_same(inverse(number), value):
            raise unfit(value, f"a {pg} that gives the same number back")
        return number

    return Conversion("numeric", forward, inverse, forward)


def _decimal_to_number(affinity: Affinity, value: object) -> Value:
    """NUMERIC and INTEGER affinity store whole numbers as integers; elsewhere a fraction, even .0, makes a real."""
    if value is None:
        return None
    assert isinstance(value, Decimal)
    if affinity is Affinity.REAL or not value.is_finite() or value != value.to_integral_value():
        return _exact_float(value)
    integral = affinity in (Affinity.NUMERIC, Affinity.INTEGER) or value.as_tuple().exponent == 0
    return int(value) if integral and -(2**63) <= value < 2**63 else _exact_float(value)


def _exact_float(value: Decimal) -> Value:
    """A text, which no number equals, where the target holds more digits than the source's real had."""
    number = float(value)
    return number if _decimal(number) == value else str(value)


def _decimal(value: int | float) -> Decimal:
    """The shortest decimal that reads back as the number; a real keeps a fraction, which PostgreSQL preserves."""
    if isinstance(value, float):
        return Decimal(f"{value:.1f}") if value.is_integer() else Decimal(repr(value))
    return Decimal(value)


def _fits_scale(number: Decimal, precision: int, scale: int) -> bool:
    try:
        return number == round(number, scale) and abs(number) < Decimal(10) ** (precision - scale)
    except InvalidOperation:  # infinities
        return False


def boolean(_: PgType, options: Options, __: Affinity) -> Conversion:
    yes: Value = 1 if options.true is None else options.true
    no: Value = 0 if options.false is None else options.false

    def forward(value: Value) -> object:
        if value is None:
            return None
        if is_same(value, yes):
            return True
        if is_same(value, no):
            return False
        raise unfit(value, f"one of {show(no)} and {show(yes)}")

    def inverse(value: object) -> Value:
        return None if value is None else yes if value else no

    return Conversion("bool", forward, inverse, forward)
