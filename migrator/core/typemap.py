"""Declared type and census → PostgreSQL type, with the reason.

The faithful choice goes by the declared type wherever the census shows that every stored value comes back exactly; the
idiomatic choice takes PostgreSQL's own types. Where the stored values contradict the declaration, the values decide
and a finding says so; where no type holds them all, a person decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from migrator.core.census import ColumnCensus
from migrator.core.convert import NO_OPTIONS, Options
from migrator.core.formats import DATE, JSON_FORMATS, JSON_UNSTORABLE, UUID_FORMATS, is_picture, merge_pictures
from migrator.core.model import Affinity, Column
from migrator.core.pgtypes import PgType
from migrator.core.plan import Style

TEXT = PgType("text")
BIGINT = PgType("bigint")
DOUBLE = PgType("double precision")
NUMERIC = PgType("numeric")
BYTEA = PgType("bytea")
BOOLEAN = PgType("boolean")
WIDENED = Options(holds="number")

_EPOCH_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
_EPOCH_YEARS = (946_684_800, 4_102_444_800)  # 2000 to 2100
_JULIAN_DAYS = (2415020.5, 2488070.5)  # 1900 to 2100
_TIME_NAME = re.compile(r"(_at|_on|_ts|_time|time|date|timestamp|expires|expiry|updated|created|last_seen)$")
_BOOLEAN_NAME = re.compile(r"^(is|has|can|was|should|allow|enable|use)_|(_enabled|_disabled|_active|_flag|_deleted)$")
_BOOLEAN_WORDS = {"active", "enabled", "disabled", "deleted", "archived", "verified", "hidden", "done", "read", "admin"}
_BOOLEAN_SPELLINGS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"), ("1", "0"))


@dataclass(frozen=True)
class Choice:
    type: PgType
    options: Options = NO_OPTIONS
    why: str = ""
    unfit: int = 0  # values the census saw that this type cannot hold
    trouble: str = ""  # a finding's rule id where the values contradict the declaration


def evidence(census: ColumnCensus) -> str:
    """The census in one line: what is stored, how much, between which bounds, in which format."""
    parts = []
    if census.integers:
        hint = _as_time(census.min_integer, census.max_integer)
        parts.append(_range(census.integers, "integer", census.min_integer, census.max_integer) + hint)
    if census.reals:
        hint = _as_time(census.min_real, census.max_real)
        parts.append(_range(census.reals, "real", census.min_real, census.max_real) + hint)
    if census.texts:
        parts.append(f"{_count(census.texts, 'text')} ≤ {census.max_characters} characters{_formats(census)}")
    if census.blobs:
        parts.append(f"{_count(census.blobs, 'blob')} ≤ {census.max_blob_bytes:,} bytes")
    if census.nulls:
        parts.append(f"{census.nulls:,} NULL")
    return ", ".join(parts) or "no rows"


def _as_time(low: float | None, high: float | None) -> str:
    if unit := epoch_unit(low, high):
        return f" (as times: {unit} since 1970)"
    if low is not None and high is not None and _JULIAN_DAYS[0] <= low <= high < _JULIAN_DAYS[1]:
        return " (as times: Julian days)"
    return ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _range(number: int, noun: str, low: object, high: object) -> str:
    return f"{_count(number, noun)} {low}" + ("" if low == high else f" … {high}")


def _formats(census: ColumnCensus) -> str:
    notes = [f"{name} × {count:,}" for name, count in census.formats.most_common(3) if name != "other"]
    notes += [f"{census.texts_with_nul:,} with NUL"] if census.texts_with_nul else []
    notes += [f"{census.broken_texts:,} invalid"] if census.broken_texts else []
    return f" ({'; '.join(notes)})" if notes else ""


def choose(column: Column, census: ColumnCensus, style: Style, zone: str) -> Choice:
    """The style's choice for an ordinary column."""
    plain = _faithful(column, census)
    if style is Style.IDIOMATIC and not plain.unfit:
        better = _idiomatic(column, census, zone)
        if better is not None:
            return replace(better, why=evidence(census))
    return replace(plain, why=evidence(census))


# -- faithful ----------------------------------------------------------------------------------------------------------


def _faithful(column: Column, census: ColumnCensus) -> Choice:
    wanted = _declared(column, census)
    if wanted is not None:
        return wanted
    choice = _by_affinity(column, census)
    if census.stored and not choice.trouble and _declares_more(column):
        return replace(choice, trouble="not-as-declared")
    return choice


_MEANS_MORE = re.compile(
    r"(BOOL|BOOLEAN|JSON|JSONB|UUID|GUID|UNIQUEIDENTIFIER|DATE|TIME|TIMESTAMPTZ|SMALLDATETIME"
    r"|(DATETIME|TIMESTAMP)( .*)?|DECIMAL|NUMERIC|NUMBER|DEC|MONEY|CURRENCY)\s*(\(.*)?"
)


def _declares_more(column: Column) -> bool:
    """Whether the declared type says more than its affinity, so that a reader expects those values."""
    return _MEANS_MORE.fullmatch(column.declared_type.upper().strip()) is not None


def _declared(column: Column, census: ColumnCensus) -> Choice | None:
    """The declared type's own meaning, if every stored value has it; None leaves the decision to the affinity."""
    declared = column.declared_type.upper()
    base = re.sub(r"\(.*", "", declared).strip()
    arguments = tuple(int(number) for number in re.findall(r"\d+", declared.partition("(")[2]))
    if base in ("BOOL", "BOOLEAN"):
        return Choice(BOOLEAN) if _is_01(census) else None
    if base in ("DATETIME", "TIMESTAMP", "DATE", "TIME", "TIMESTAMPTZ", "SMALLDATETIME") or base.startswith(
        ("TIMESTAMP ", "DATETIME ")
    ):
        return _declared_time(base, census)
    if base in ("JSON", "JSONB"):
        return Choice(PgType("json")) if _is_json(census) else None
    if base in ("UUID", "GUID", "UNIQUEIDENTIFIER"):
        return _uuid(census)
    if base in ("DECIMAL", "NUMERIC", "NUMBER", "DEC", "MONEY", "CURRENCY"):
        return _declared_numeric(arguments, census)
    if re.search(r"CHAR", base) and column.affinity is Affinity.TEXT:
        return _declared_text(arguments, census)
    return None


def _declared_time(base: str, census: ColumnCensus) -> Choice | None:
    if not census.stored:
        name = {"DATE": "date", "TIME": "time"}.get(base, "timestamp")
        return Choice(PgType(name), Options() if name == "date" else Options(format=_default_picture(name)))
    return _timestamp_like(census, None)


def _default_picture(name: str) -> str:
    return "HH:MM:SS" if name == "time" else f"{DATE} HH:MM:SS"


def _declared_numeric(arguments: tuple[int, ...], census: ColumnCensus) -> Choice | None:
    if census.texts or census.blobs:
        return None
    if census.beyond_int64 or census.infinite:
        return Choice(DOUBLE if _exact_as_doubles(census) else NUMERIC, trouble=_lost_digits(census))
    return Choice(PgType("numeric", _precision(arguments, census)))


def _precision(arguments: tuple[int, ...], census: ColumnCensus) -> tuple[int, ...]:
    """The declared precision and scale, if every stored number fits into them; otherwise none."""
    if not arguments or not 0 < arguments[0] <= 1000:
        return ()
    precision, scale = (arguments[0], arguments[1] if len(arguments) > 1 else 0)
    highest = max(
        abs(census.min_integer or 0), abs(census.max_integer or 0), abs(census.min_real or 0), abs(census.max_real or 0)
    )
    return (precision, scale) if highest < 10 ** (precision - scale) and _decimals(census) <= scale else ()


def _decimals(census: ColumnCensus) -> int:
    return census.max_decimals if census.reals > census.whole_reals else 0


def _declared_text(arguments: tuple[int, ...], census: ColumnCensus) -> Choice | None:
    if census.integers or census.reals or census.blobs or not arguments or not 0 < arguments[0] <= 10_485_760:
        return None
    if census.max_characters <= arguments[0] and census.max_text_bytes <= 4 * arguments[0]:
        return Choice(PgType("varchar", arguments[:1]), unfit=_unstorable(census))
    return Choice(TEXT, unfit=_unstorable(census), trouble="longer-than-declared")


def _by_affinity(column: Column, census: ColumnCensus) -> Choice:
    numbers = census.integers + census.reals
    if column.affinity is Affinity.TEXT:
        return _mostly_text(census)
    if not census.stored:
        return Choice(_EMPTY_TYPES[column.affinity] if column.declared_type else TEXT)
    if not census.texts and not census.blobs:
        return _numbers(column, census)
    if not numbers and not census.blobs:
        declared_number = column.affinity in (Affinity.INTEGER, Affinity.REAL)
        if declared_number and census.empty_texts == census.texts:
            return Choice(_EMPTY_TYPES[column.affinity], unfit=census.texts, trouble="empty-text-in-number")
        unsaid = column.affinity is Affinity.NUMERIC or column.declared_type.upper() in ("", "ANY")
        trouble = "" if unsaid else "text-in-other-type"
        return Choice(TEXT, unfit=_unstorable(census), trouble=trouble)
    if not numbers and not census.texts:
        return Choice(BYTEA, trouble="" if column.affinity is Affinity.BLOB else "blob-in-other-type")
    return _mixed(column, census)


_EMPTY_TYPES = {
    Affinity.INTEGER: BIGINT,
    Affinity.REAL: DOUBLE,
    Affinity.TEXT: TEXT,
    Affinity.BLOB: BYTEA,
    Affinity.NUMERIC: NUMERIC,
}


def _numbers(column: Column, census: ColumnCensus) -> Choice:
    if not census.reals:
        return Choice(BIGINT)
    if column.affinity is Affinity.REAL or not census.integers:
        counted = column.affinity in (Affinity.INTEGER, Affinity.NUMERIC)
        return Choice(DOUBLE, trouble=_lost_digits(census) if counted else "")
    if column.affinity is Affinity.INTEGER:
        trouble = _lost_digits(census) or "real-in-integer"
        return Choice(DOUBLE if _exact_as_doubles(census) else NUMERIC, trouble=trouble)
    return Choice(NUMERIC)


def _exact_as_doubles(census: ColumnCensus) -> bool:
    return max(abs(census.min_integer or 0), abs(census.max_integer or 0)) <= 2**53


def _lost_digits(census: ColumnCensus) -> str:
    return "already-lossy" if census.beyond_int64 else ""


def _mostly_text(census: ColumnCensus) -> Choice:
    if census.texts or not census.stored:
        unfit = _unstorable(census) + census.blobs + census.integers + census.reals
        return Choice(TEXT, unfit=unfit, trouble="blob-in-text" if census.blobs else "")
    if census.blobs and not census.integers and not census.reals:
        return Choice(BYTEA, trouble="blob-in-other-type")
    return Choice(TEXT, WIDENED, unfit=census.blobs)


def _mixed(column: Column, census: ColumnCensus) -> Choice:
    """Several storage classes. A declared number stays one; a declaration that means nothing gives way to text."""
    strange = census.texts + census.blobs
    if column.affinity is Affinity.INTEGER or column.declared_type.upper().startswith(("DECIMAL", "NUMERIC", "NUMBER")):
        name = BIGINT if not census.reals and column.affinity is Affinity.INTEGER else NUMERIC
        trouble = "empty-text-in-number" if strange == census.empty_texts else "text-in-number"
        return Choice(name, unfit=strange, trouble=trouble)
    if column.affinity is Affinity.REAL:
        return Choice(
            DOUBLE, unfit=strange, trouble="empty-text-in-number" if strange == census.empty_texts else "text-in-number"
        )
    if census.blobs:
        texts_win = census.texts >= census.blobs
        return Choice(
            TEXT if texts_win else BYTEA,
            unfit=(census.blobs if texts_win else census.texts) + census.integers + census.reals,
            trouble="mixed-storage",
        )
    return Choice(TEXT, WIDENED, unfit=census.numeric_texts + _unstorable(census), trouble="mixed-storage")


def _unstorable(census: ColumnCensus) -> int:
    return census.texts_with_nul + census.broken_texts


# -- idiomatic ---------------------------------------------------------------------------------------------------------


def _idiomatic(column: Column, census: ColumnCensus, zone: str) -> Choice | None:
    if not census.stored:
        return None
    if census.texts and not (census.integers or census.reals or census.blobs or census.free_text):
        return _text_idiom(column, census, zone)
    if census.integers and not (census.reals or census.texts or census.blobs):
        if _is_01(census) and _means_boolean(column):
            return Choice(BOOLEAN)
        return _epoch(column, census)
    if census.reals and not (census.integers or census.texts or census.blobs):
        return _real_time(column, census)
    return None


def _text_idiom(column: Column, census: ColumnCensus, zone: str) -> Choice | None:
    if column.collation == "NOCASE":
        return None
    if _only_formats(census, {"json-text-array"}):
        return Choice(PgType("text[]"))
    if _is_json(census) and not census.formats[JSON_UNSTORABLE]:
        return Choice(PgType("jsonb"))
    return _uuid(census) or _timestamp_like(census, zone) or _spelled_boolean(column, census)


def _is_01(census: ColumnCensus) -> bool:
    if not census.stored:
        return True
    only_integers = census.integers == census.stored
    return only_integers and census.distinct is not None and census.distinct <= {0, 1}


def _means_boolean(column: Column) -> bool:
    name = column.name.lower()
    return bool(_BOOLEAN_NAME.search(name)) or name in _BOOLEAN_WORDS or "BOOL" in column.declared_type.upper()


def _spelled_boolean(column: Column, census: ColumnCensus) -> Choice | None:
    if not census.distinct or len(census.distinct) > 2:
        return None
    for yes, no in _BOOLEAN_SPELLINGS:
        for spelling in (str, str.upper, str.capitalize):
            pair = {spelling(yes), spelling(no)}
            if census.distinct <= pair and (_means_boolean(column) or (len(census.distinct) == 2 and yes != "1")):
                return Choice(BOOLEAN, Options(true=spelling(yes), false=spelling(no)))
    return None


def _only_formats(census: ColumnCensus, allowed: set[str]) -> bool:
    return bool(census.formats) and not census.free_text and set(census.formats) <= allowed


def _is_json(census: ColumnCensus) -> bool:
    only_texts = census.texts == census.stored
    return only_texts and (not census.stored or _only_formats(census, {*JSON_FORMATS, JSON_UNSTORABLE}))


def _uuid(census: ColumnCensus) -> Choice | None:
    for name, form in UUID_FORMATS.items():
        if _only_formats(census, {name}) and census.texts == census.stored:
            return Choice(PgType("uuid"), Options() if form == "hyphens" else Options(format=form))
    return None


def _timestamp_like(census: ColumnCensus, zone: str | None) -> Choice | None:
    """date, time, timestamp or timestamptz if every text is of one format; `zone` makes naive texts timestamptz."""
    if census.free_text or census.texts != census.stored or not all(map(is_picture, census.formats)):
        return None
    picture = merge_pictures(frozenset(census.formats)) if census.formats else None
    if picture is None:
        return None
    if picture == DATE:
        return Choice(PgType("date"))
    if not picture.startswith(DATE):
        return Choice(PgType("time"), Options(format=picture))
    if re.search(r"(Z|[+-]\d\d:\d\d)$", picture):
        return Choice(PgType("timestamptz"), Options(format=picture))
    if zone is None:
        return Choice(PgType("timestamp"), Options(format=picture))
    return Choice(PgType("timestamptz"), Options(format=picture, zone=zone))


def _means_time(column: Column) -> bool:
    declared = column.declared_type.upper()
    return "DATE" in declared or "TIME" in declared or bool(_TIME_NAME.search(column.name.lower()))


def _epoch(column: Column, census: ColumnCensus) -> Choice | None:
    unit = epoch_unit(census.min_integer, census.max_integer)
    return Choice(PgType("timestamptz"), Options(unit=unit)) if unit and _means_time(column) else None


def _real_time(column: Column, census: ColumnCensus) -> Choice | None:
    """Only reals with a fraction: the inverse of a whole number of seconds is an integer."""
    if census.not_microseconds or census.whole_reals or not _means_time(column):
        return None
    unit = epoch_unit(census.min_real, census.max_real)
    return Choice(PgType("timestamptz"), Options(unit=unit)) if unit == "s" else None


def epoch_unit(low: float | None, high: float | None) -> str | None:
    """s, ms or us if both bounds are points in time between 2000 and 2100 in that unit."""
    for unit, scale in _EPOCH_UNITS.items():
        if (
            low is not None
            and high is not None
            and all(_EPOCH_YEARS[0] * scale <= bound < _EPOCH_YEARS[1] * scale for bound in (low, high))
        ):
            return unit
    return None
