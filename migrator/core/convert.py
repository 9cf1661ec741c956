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

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from migrator.core.formats import DATE, load_json, storable_as_jsonb, uuid_text
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType
from migrator.core.values import BrokenText, LargeValue, Value, show, storage_class

Forward = Callable[[Value], object]
Inverse = Callable[[object], Value]


class Unfit(ValueError):
    """A value that the conversion cannot carry exactly; the message says why."""


@dataclass(frozen=True)
class Options:
    """What a column's plan says about its conversion beside the type.

    `format` is a picture (formats.py) or a UUID form; `unit` is s, ms, us or julian for timestamps from numbers; `zone`
    names the time zone of texts without an offset; `true` and `false` are the spellings of a boolean that was text;
    `holds` is text where a bytea column carries the bytes of text.
    """

    format: str | None = None
    unit: str | None = None
    zone: str | None = None
    true: str | None = None
    false: str | None = None
    holds: str | None = None


NO_OPTIONS = Options()


@dataclass(frozen=True)
class Conversion:
    """One column's pair.

    copy_type: psycopg's name of the type whose binary dumper encodes `forward`'s result.
    fast: `forward` for values that are very probably right; None where encoder and server refuse all others.
    read: SQL around the quoted column, `{}`, that makes the target value decodable.
    canonical: the source value as the inverse will return it, where the conversion is normalised; else None.
    """

    copy_type: str
    forward: Forward
    inverse: Inverse | None
    fast: Forward | None = None
    read: str = "{}"
    canonical: Callable[[Value], Value] | None = None

    @property
    def lossless(self) -> bool:
        return self.canonical is None


def conversion(pg: PgType, options: Options = NO_OPTIONS, affinity: Affinity = Affinity.BLOB) -> Conversion:
    """The conversion into that type. Raises ValueError if the options do not go with the type."""
    try:
        make = _MAKERS[pg.name]
    except KeyError as error:
        raise ValueError(f"no conversion into {pg}") from error
    return make(pg, options, affinity)


def is_same(one: object, other: object) -> bool:
    """Equal in type and bits: -0.0 is not 0.0, 1 is not 1.0 and not True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
    return one == other


def _unfit(value: object, wanted: str) -> Unfit:
    return Unfit(f"{storage_class(value)} {show(value)} is not {wanted}")


def _only(kind: type, wanted: str) -> Forward:
    def forward(value: Value) -> object:
        if value is None or type(value) is kind:
            return value
        raise _unfit(value, wanted)

    return forward


# -- integers ----------------------------------------------------------------------------------------------------------


def _integer(bits: int, pg: PgType, _: Options, __: Affinity) -> Conversion:
    least, most = -(1 << bits - 1), (1 << bits - 1) - 1

    def forward(value: Value) -> object:
        if value is None or (type(value) is int and least <= value <= most):
            return value
        raise _unfit(value, f"a {pg}")

    return Conversion(f"int{bits // 8}", forward, None, None if bits == 64 else forward)


# -- reals and numerics ------------------------------------------------------------------------------------------------


def _double(_: PgType, __: Options, affinity: Affinity) -> Conversion:
    """REAL affinity never yields an integer, so nothing is checked; elsewhere an integer must come back as one."""
    if affinity is Affinity.REAL:
        return Conversion("float8", _only(float, "a double precision"), None)
    if affinity in (Affinity.NUMERIC, Affinity.INTEGER):
        return Conversion("float8", _number_to_double, _double_to_number, _number_to_double)
    forward = _only(float, "a double precision")
    return Conversion("float8", forward, None, forward)


def _number_to_double(value: Value) -> object:
    if value is None:
        return None
    if type(value) in (int, float):
        double = float(value)  # type: ignore[arg-type]  # the line above leaves only numbers
        if is_same(_double_to_number(double), value):
            return double
    raise _unfit(value, "a double precision that gives the same number back")


def _double_to_number(value: object) -> Value:
    """NUMERIC and INTEGER affinity store a real without a fraction as an integer, if it fits in 48 bits or exactly."""
    assert value is None or isinstance(value, float)
    if value is None or not value.is_integer() or abs(value) > 2**53 or is_same(value, -0.0):
        return value
    return int(value)


def _numeric(pg: PgType, _: Options, affinity: Affinity) -> Conversion:
    precision, scale = (*pg.arguments, 0, 0)[:2]
    inverse = partial(_decimal_to_number, affinity)

    def forward(value: Value) -> object:
        if value is None:
            return None
        if type(value) not in (int, float):
            raise _unfit(value, f"a {pg}")
        number = _decimal(value)  # type: ignore[arg-type]  # the line above leaves only numbers
        if pg.arguments:
            if not _fits_scale(number, precision, scale):
                raise _unfit(value, f"a {pg}")
            number = round(number, scale)  # as PostgreSQL will return it
        if is_same(value, -0.0) or not is_same(inverse(number), value):
            raise _unfit(value, f"a {pg} that gives the same number back")
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


# -- text --------------------------------------------------------------------------------------------------------------


def _text_fits(value: Value, wanted: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        if isinstance(value, BrokenText):
            raise Unfit(f"text with bytes that are not valid in the database's encoding: {show(value)}")
        if isinstance(value, LargeValue) and value.storage_class == "text":
            return value  # type: ignore[return-value]  # the large path checks it chunk by chunk
        raise _unfit(value, wanted)
    if "\0" in value:
        raise Unfit(f"text with a NUL character (U+0000), which PostgreSQL cannot store: {show(value)}")
    return value


def _text(pg: PgType, options: Options, affinity: Affinity) -> Conversion:
    if options.holds == "number":
        return Conversion("text", _widen, _narrow, _widen)
    return Conversion("text", lambda value: _text_fits(value, "a text"), None)


def _varchar(pg: PgType, _: Options, __: Affinity) -> Conversion:
    """The length is checked here because PostgreSQL cuts trailing spaces beyond it without an error."""
    (most,) = pg.arguments or (10_485_760,)

    def fast(value: Value) -> object:
        if value is not None and len(value) > most:  # type: ignore[arg-type]  # other types fail here or in the encoder
            raise _unfit(value, f"a {pg}: {len(value)} characters")  # type: ignore[arg-type]
        return value

    def forward(value: Value) -> object:
        text = _text_fits(value, f"a {pg}")
        if isinstance(text, LargeValue):
            raise _unfit(value, f"a {pg}")
        return fast(text)

    return Conversion("varchar", forward, None, fast)


def _char(pg: PgType, _: Options, __: Affinity) -> Conversion:
    """PostgreSQL pads char(n) with spaces, so only texts of exactly n characters come back as they were."""
    (length,) = pg.arguments or (1,)

    def forward(value: Value) -> object:
        text = _text_fits(value, f"a {pg}")
        if text is not None and len(text) != length:
            raise _unfit(value, f"a {pg}: {len(text)} characters")
        return text

    return Conversion("varchar", forward, None, forward)


_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)


def _widen(value: Value) -> object:
    """Numbers become the text that SQLite would write; a text that looks like a number cannot be told from one."""
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return repr(value)
    text = _text_fits(value, "a text or a number")
    if text is not None and not isinstance(text, LargeValue) and not is_same(_narrow(text), text):
        raise Unfit(f"text {show(value)} could not be told from a number")
    return text


def _narrow(value: object) -> Value:
    assert value is None or isinstance(value, str)
    if value is None or len(value) > 25 or not value:
        return value
    if _CANONICAL_INTEGER.fullmatch(value) and -(2**63) <= int(value) < 2**63:
        return int(value)
    try:
        number = float(value)
    except ValueError:
        return value
    return number if repr(number) == value else value


# -- bytes -------------------------------------------------------------------------------------------------------------


def _bytea(_: PgType, options: Options, __: Affinity) -> Conversion:
    if options.holds == "text":
        return Conversion("bytea", _text_to_bytes, _bytes_to_text, _text_to_bytes)
    return Conversion("bytea", _blob_fits, None)


def _blob_fits(value: Value) -> object:
    if value is None or type(value) is bytes or (isinstance(value, LargeValue) and value.storage_class == "blob"):
        return value
    raise _unfit(value, "a blob")


def _text_to_bytes(value: Value) -> object:
    if value is None or isinstance(value, LargeValue):
        return value
    if isinstance(value, BrokenText):
        return value.raw
    if type(value) is str:
        return value.encode()
    raise _unfit(value, "a text")


def _bytes_to_text(value: object) -> Value:
    assert value is None or isinstance(value, bytes)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BrokenText(value)


# -- booleans ----------------------------------------------------------------------------------------------------------


def _boolean(_: PgType, options: Options, __: Affinity) -> Conversion:
    yes: Value = 1 if options.true is None else options.true
    no: Value = 0 if options.false is None else options.false

    def forward(value: Value) -> object:
        if value is None:
            return None
        if is_same(value, yes):
            return True
        if is_same(value, no):
            return False
        raise _unfit(value, f"one of {show(no)} and {show(yes)}")

    def inverse(value: object) -> Value:
        return None if value is None else yes if value else no

    return Conversion("bool", forward, inverse, forward)


# -- dates and times ---------------------------------------------------------------------------------------------------


def _written(parse: Callable[[str], object], write: Callable[[object], str], wanted: str) -> tuple[Forward, Inverse]:
    """A pair for texts: forward parses, and insists that writing gives the same text."""

    def forward(value: Value) -> object:
        if value is None:
            return None
        if type(value) is not str:
            raise _unfit(value, wanted)
        try:
            parsed = parse(value)
            if write(parsed) == value:
                return parsed
        except (ValueError, OverflowError):
            pass
        raise _unfit(value, wanted)

    def inverse(value: object) -> Value:
        """Where the text does not say all of the value (a fraction, the second 02:30 of a night), another text."""
        if value is None:
            return None
        text = write(value)
        return text if parse(text) == value else f"{text} ({value})"

    return forward, inverse


def _date(_: PgType, __: Options, ___: Affinity) -> Conversion:
    forward, inverse = _written(date.fromisoformat, date.isoformat, f"a date {DATE}")  # type: ignore[arg-type]
    return Conversion("date", forward, inverse, forward)


_TIMESPECS = {
    "HH:MM": "minutes",
    "HH:MM:SS": "seconds",
    "HH:MM:SS.fff": "milliseconds",
    "HH:MM:SS.ffffff": "microseconds",
    "HH:MM:SS[.ffffff]": "auto",
}
_PICTURE = re.compile(rf"(?:{DATE}(?P<separator>[ T]))?(?P<clock>HH:MM[^Z+-]*)(?P<offset>Z|[+-]\d\d:\d\d)?")


def _picture(options: Options, default: str) -> re.Match[str]:
    match = _PICTURE.fullmatch(options.format or default)
    if match is None or match["clock"] not in _TIMESPECS:
        raise ValueError(f"unknown format {options.format!r}")
    return match


def _time(_: PgType, options: Options, __: Affinity) -> Conversion:
    match = _picture(options, "HH:MM:SS")
    write = partial(time.isoformat, timespec=_TIMESPECS[match["clock"]])
    forward, inverse = _written(time.fromisoformat, write, f"a time {match[0]}")
    return Conversion("time", forward, inverse, forward)


def _timestamp(pg: PgType, options: Options, __: Affinity) -> Conversion:
    match = _picture(options, f"{DATE} HH:MM:SS")
    if match["offset"]:
        raise ValueError(f"texts with an offset ({match[0]}) need timestamptz")
    write = partial(datetime.isoformat, sep=match["separator"], timespec=_TIMESPECS[match["clock"]])
    forward, inverse = _written(datetime.fromisoformat, write, f"a {pg} {match[0]}")
    return Conversion("timestamp", forward, inverse, forward)


def _timestamptz(pg: PgType, options: Options, affinity: Affinity) -> Conversion:
    if options.unit:
        return _epoch(pg, options.unit)
    match = _picture(options, f"{DATE} HH:MM:SS")
    zone = ZoneInfo(options.zone) if options.zone and options.zone != "UTC" else UTC
    offset = match["offset"]
    if offset and offset != "Z":
        zone = datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo  # type: ignore[assignment]
    timespec = _TIMESPECS[match["clock"]]

    def parse(text: str) -> datetime:
        naive = datetime.fromisoformat(text)
        return (naive.replace(tzinfo=zone) if naive.tzinfo is None else naive).astimezone(UTC)

    def write(value: datetime) -> str:
        local = value.astimezone(zone).replace(tzinfo=None)
        return local.isoformat(match["separator"], timespec) + (offset or "")

    forward, inverse = _written(parse, write, f"a {pg} {match[0]}")  # type: ignore[arg-type]
    return Conversion("timestamptz", forward, inverse, forward)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_JULIAN_EPOCH = 2440587.5


def _epoch(pg: PgType, unit: str) -> Conversion:
    """Numbers as points in time. The inverse returns an integer for a whole unit of an integer column's scale."""
    if unit == "julian":
        return _number_time(pg, _from_julian, _to_julian, "a Julian day")
    if unit not in _MICROSECONDS:
        raise ValueError(f"unknown unit {unit!r}: s, ms, us or julian")
    scale = _MICROSECONDS[unit]

    def from_epoch(value: int | float) -> datetime:
        return _EPOCH + timedelta(microseconds=round(value * scale))

    def to_epoch(moment: datetime, like: type) -> Value:
        microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
        return microseconds // scale if like is int and microseconds % scale == 0 else microseconds / scale

    return _number_time(pg, from_epoch, to_epoch, f"a time in {unit} since 1970")


def _from_julian(value: int | float) -> datetime:
    return _EPOCH + timedelta(microseconds=round((value - _JULIAN_EPOCH) * 86_400_000_000))


def _to_julian(moment: datetime, _: type) -> Value:
    """A text, which no number equals, where the Julian day is too coarse for the time in the target."""
    days = ((moment - _EPOCH) // timedelta(microseconds=1)) / 86_400_000_000 + _JULIAN_EPOCH
    return days if _from_julian(days) == moment else str(moment)


def _number_time(
    pg: PgType, parse: Callable[[int | float], datetime], write: Callable[[datetime, type], Value], wanted: str
) -> Conversion:
    """Integers and reals cannot be told apart afterwards, so the whole unit is an integer and all else a real."""

    def inverse(value: object) -> Value:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return write(value, int)

    def forward(value: Value) -> object:
        if value is None:
            return None
        if type(value) in (int, float):
            try:
                moment = parse(value)  # type: ignore[arg-type]
                if is_same(inverse(moment), value):
                    return moment
            except (OverflowError, ValueError):
                pass
        raise _unfit(value, f"a {pg} from {wanted}, exact to the microsecond")

    return Conversion("timestamptz", forward, inverse, forward)


# -- uuid and JSON -----------------------------------------------------------------------------------------------------


def _uuid(_: PgType, options: Options, __: Affinity) -> Conversion:
    form = options.format or "hyphens"
    if form == "bytes":
        return Conversion("uuid", _bytes_to_uuid, _uuid_to_bytes, _bytes_to_uuid)
    if form not in ("hyphens", "upper", "hex"):
        raise ValueError(f"unknown format {form!r}: hyphens, upper, hex or bytes")
    forward, inverse = _written(UUID, partial(uuid_text, form=form), f"a UUID ({form})")
    return Conversion("uuid", forward, inverse, forward)


def _bytes_to_uuid(value: Value) -> object:
    if value is None:
        return None
    if type(value) is bytes and len(value) == 16:
        return UUID(bytes=value)
    raise _unfit(value, "a UUID of 16 bytes")


def _uuid_to_bytes(value: object) -> Value:
    assert value is None or isinstance(value, UUID)
    return None if value is None else value.bytes


def _parse_json(value: Value, wanted: str) -> str | None:
    text = _text_fits(value, wanted)
    if text is None:
        return None
    if isinstance(text, LargeValue):
        raise Unfit(f"{show(value)} is too large to be checked as {wanted}")
    try:
        load_json(text)
    except ValueError as error:
        raise Unfit(f"text {show(value)} is not JSON ({error})") from error
    return text


def _json(_: PgType, __: Options, ___: Affinity) -> Conversion:
    return Conversion("text", lambda value: _parse_json(value, "json"), None, read="{}::text")


def _jsonb(_: PgType, __: Options, ___: Affinity) -> Conversion:
    """jsonb's binary form is a version byte and the text, so the text is encoded here and goes out as raw bytes."""

    def forward(value: Value) -> object:
        text = _parse_json(value, "jsonb")
        if text is None:
            return None
        if not storable_as_jsonb(text):
            raise Unfit(f"JSON {show(value)} holds \\u0000 or half a surrogate pair, which jsonb refuses")
        return b"\x01" + text.encode()

    return Conversion("bytea", forward, canonical_json, forward, read="{}::text", canonical=canonical_json)


def canonical_json(value: object) -> Value:
    """The text with sorted keys, the last of duplicate keys, and exact numbers without trailing zeros."""
    if value is None or not isinstance(value, str):
        return value  # type: ignore[return-value]
    parsed = json.loads(value, parse_float=_number, parse_int=_number)
    return json.dumps(parsed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> str:
    """A string that jsonb cannot hold, so that no other JSON value looks like it."""
    number = Decimal(text)
    return "\0" + ("0" if not number else str(number.normalize()))


def _text_array(_: PgType, __: Options, ___: Affinity) -> Conversion:
    def forward(value: Value) -> object:
        text = _parse_json(value, "a JSON array of texts")
        if text is None:
            return None
        items = json.loads(text)
        if not isinstance(items, list) or not all(isinstance(item, str) and _fits_text(item) for item in items):
            raise _unfit(value, "a JSON array of texts")
        return items

    def inverse(value: object) -> Value:
        return None if value is None else canonical_json(json.dumps(value))

    return Conversion("text[]", forward, inverse, forward, canonical=canonical_json)


def _fits_text(item: str) -> bool:
    return "\0" not in item and not any("\ud800" <= letter <= "\udfff" for letter in item)


_MAKERS: dict[str, Callable[[PgType, Options, Affinity], Conversion]] = {
    "smallint": partial(_integer, 16),
    "integer": partial(_integer, 32),
    "bigint": partial(_integer, 64),
    "double precision": _double,
    "numeric": _numeric,
    "text": _text,
    "varchar": _varchar,
    "char": _char,
    "bytea": _bytea,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "uuid": _uuid,
    "json": _json,
    "jsonb": _jsonb,
    "text[]": _text_array,
}
