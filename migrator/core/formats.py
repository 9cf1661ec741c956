"""What a text looks like: the census counts these, and a conversion is offered where every text of a column agrees.

A format's name is a picture of the text (YYYY-MM-DD HH:MM:SS.ffffff). A text has a date or time format only if writing
the parsed value in that format gives the same text back, so a column of one format converts without loss.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from functools import lru_cache
from uuid import UUID

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(?::\d\d(?P<fraction>\.\d{3}|\.\d{6})?)?"
_OFFSET = r"(?P<offset>Z|[+-]\d\d:\d\d)?"
_DATETIME = re.compile(rf"(?P<date>{_DATE})(?:(?P<separator>[ T])(?P<time>{_TIME}){_OFFSET})?", re.ASCII)
_TIME_ONLY = re.compile(_TIME, re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID_UPPER = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
_UUID_HEX = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)

OTHER = "other"
EMPTY = "empty"
NUMBER = "number"
DATE = "YYYY-MM-DD"
UUID_FORMATS = {"uuid": "hyphens", "uuid-upper": "upper", "uuid-hex": "hex"}
JSON_FORMATS = ("json-object", "json-array", "json-text-array")
JSON_UNSTORABLE = "json-not-jsonb"  # valid JSON of which jsonb refuses or forgets a part


def text_format(text: str) -> str:
    """The name of the text's format: one of this module's constants, a UUID or JSON format, or a date picture."""
    if not text:
        return EMPTY
    first = text[0]
    if first in "{[":
        return _json_format(text)
    size = len(text)
    if size > 36:
        return OTHER
    if size in (32, 36):
        for pattern, name in ((_UUID, "uuid"), (_UUID_UPPER, "uuid-upper"), (_UUID_HEX, "uuid-hex")):
            if pattern.fullmatch(text):
                return name
    if first.isdigit() and size >= 5:
        picture = _date_picture(text)
        if picture:
            return picture
    return NUMBER if _NUMBER.fullmatch(text) else OTHER


def _date_picture(text: str) -> str | None:
    match = _DATETIME.fullmatch(text)
    try:
        if match is None:
            return _time_picture(text)
        if match["separator"] is None:
            return DATE if date.fromisoformat(text).isoformat() == text else None
        datetime.fromisoformat(text)
    except ValueError:
        return None
    if match["time"][:2] == "24":
        return None
    return DATE + match["separator"] + _clock(match["time"], match["fraction"]) + (match["offset"] or "")


def _time_picture(text: str) -> str | None:
    match = _TIME_ONLY.fullmatch(text)
    if match is None or text[:2] == "24":
        return None
    time.fromisoformat(text)
    return _clock(text, match["fraction"])


def _clock(text: str, fraction: str | None) -> str:
    if len(text) == 5:
        return "HH:MM"
    if fraction is None:
        return "HH:MM:SS"
    # A zero fraction keeps its own name: Python's isoformat() leaves it out, so columns that mix the two forms differ
    # from columns that always write six digits.
    return "HH:MM:SS." + ("0" if not fraction.strip(".0") else "f") * (len(fraction) - 1)


def merge_pictures(pictures: frozenset[str]) -> str | None:
    """The one format in which every text of these pictures can be written back, or None.

    HH:MM:SS.ffffff covers .000000; HH:MM:SS[.ffffff] is isoformat's: no fraction where it would be zero.
    """
    if len(pictures) == 1 and ".0" not in (only := next(iter(pictures))):
        return only
    fixed = {re.sub(r"\.0+", lambda zeros: "." + "f" * (len(zeros[0]) - 1), picture) for picture in pictures}
    if len(fixed) == 1:
        return fixed.pop()
    if any(".0" in picture for picture in pictures):
        return None
    bare = {picture.replace(".ffffff", "") for picture in pictures}
    if len(bare) == 1 and len(pictures) == 2:
        return bare.pop().replace("HH:MM:SS", "HH:MM:SS[.ffffff]")
    return None


@lru_cache(maxsize=4096)
def is_picture(name: str) -> bool:
    return name.startswith((DATE, "HH:MM"))


def _json_format(text: str) -> str:
    try:
        parsed = load_json(text)
    except ValueError:
        return OTHER
    if not storable_as_jsonb(text) or _repeats_a_key(text):
        return JSON_UNSTORABLE
    if not isinstance(parsed, list):
        return "json-object"
    return "json-text-array" if all(isinstance(item, str) for item in parsed) else "json-array"


def load_json(text: str) -> object:
    """The JSON value as PostgreSQL reads it. Raises ValueError for what JSON is not: NaN, Infinity, deep nesting."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_NUL_OR_SURROGATE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


_HUGE_NUMBER = re.compile(r"\d[eE][+-]?\d{4,}")  # numeric ends at 131,072 digits before the point, 16,383 behind it


def storable_as_jsonb(text: str) -> bool:
    r"""False where jsonb would refuse a huge number, an escape \u0000, or a surrogate without its other half."""
    if _HUGE_NUMBER.search(text):
        return False
    if not _NUL_OR_SURROGATE.search(text):
        return True
    return _strings_storable(json.loads(text))


def _repeats_a_key(text: str) -> bool:
    """Of two members with the same name jsonb keeps the last one only."""
    repeated = False

    def members(pairs: list[tuple[str, object]]) -> None:
        nonlocal repeated
        repeated = repeated or len({name for name, _ in pairs}) != len(pairs)

    if text.count(":") > 1:
        json.loads(text, object_pairs_hook=members)
    return repeated


def _strings_storable(value: object) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, list):
        return all(map(_strings_storable, value))
    if isinstance(value, dict):
        return all(_strings_storable(key) and _strings_storable(item) for key, item in value.items())
    return True


def uuid_text(value: UUID, form: str) -> str:
    if form == "hex":
        return value.hex
    return str(value).upper() if form == "upper" else str(value)
