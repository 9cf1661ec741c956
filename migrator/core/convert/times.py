"""Dates and times, from texts of one format and from numbers of one unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from migrator.core.convert.pair import Conversion, Options, is_same, unfit, written
from migrator.core.formats import DATE
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType
from migrator.core.values import Value


def date_only(_: PgType, __: Options, ___: Affinity) -> Conversion:
    forward, inverse = written(date.fromisoformat, date.isoformat, f"a date {DATE}")  # type: ignore[arg-type]
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


def time_of_day(_: PgType, options: Options, __: Affinity) -> Conversion:
    match = _picture(options, "HH:MM:SS")
    write = partial(time.isoformat, timespec=_TIMESPECS[match["clock"]])
    forward, inverse = written(time.fromisoformat, write, f"a time {match[0]}")
    return Conversion("time", forward, inverse, forward)


def timestamp(pg: PgType, options: Options, __: Affinity) -> Conversion:
    match = _picture(options, f"{DATE} HH:MM:SS")
    if match["offset"]:
        raise ValueError(f"texts with an offset ({match[0]}) need timestamptz")
    write = partial(datetime.isoformat, sep=match["separator"], timespec=_TIMESPECS[match["clock"]])
    forward, inverse = written(datetime.fromisoformat, write, f"a {pg} {match[0]}")
    return Conversion("timestamp", forward, inverse, forward)


def timestamptz(pg: PgType, options: Options, affinity: Affinity) -> Conversion:
    if options.unit:
        return _epoch(pg, options.unit)
    match = _picture(options, f"{DATE} HH:MM:SS")
    zone = ZoneInfo(options.zone) if options.zone and options.zone != "UTC" else UTC
    offset = match["offset"]
    if offset and offset != "Z":
        zone = datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo  # type: ignore[assignment]
    timespec = _TIMESPECS[match["clock"]]

    def parse(text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
            if moment.utcoffset() != moment.replace(fold=1).utcoffset():
                raise ValueError("the clocks were changed: there is no such time, or there are two")
        return moment.astimezone(UTC)

    def write(value: datetime) -> str:
        local = value.astimezone(zone).replace(tzinfo=None)
        return local.isoformat(match["separator"], timespec) + (offset or "")

    once = f", a time that {options.zone} has exactly once" if options.zone and options.zone != "UTC" else ""
    forward, inverse = written(parse, write, f"a {pg} {match[0]}{once}")  # type: ignore[arg-type]
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
        raise unfit(value, f"a {pg} from {wanted}, exact to the microsecond")

    return Conversion("timestamptz", forward, inverse, forward)
