"""What a value of the source is in Python, and the two kinds that Python has no type for."""

from __future__ import annotations

from dataclasses import dataclass

# No process holds a larger value in memory, whatever the table holds.
MAX_VALUE_BYTES = 8 * 1024 * 1024
LARGEST_VALUE_BYTES = 1_000_000_000  # what SQLite itself allows, unless it was compiled otherwise

# Whole batches of rows are held only while every value is smaller than this.
MAX_BATCHED_VALUE_BYTES = 64 * 1024


@dataclass(frozen=True)
class BrokenText:
    """Storage class TEXT whose bytes are not valid in the database's encoding."""

    raw: bytes


@dataclass(frozen=True)
class Unreadable(BrokenText):
    """A value of the target for which Python has no word: a time that is infinite, or before 1 or after 9999."""


@dataclass(frozen=True)
class LargeValue:
    """A TEXT or BLOB too large to hold in memory; it is read in chunks by table, column and rowid."""

    table: str
    column: str
    rowid: int
    storage_class: str  # text or blob
    size_bytes: int
    characters: int = 0  # this and the following are known of texts that the census has read through
    has_nul: bool = False
    broken: bool = False


Value = None | int | float | str | bytes | BrokenText | LargeValue


def storage_class(value: object) -> str:
    """SQLite's name for what the value is (null, integer, real, text, blob), or Python's for what SQLite has not."""
    if isinstance(value, LargeValue):
        return value.storage_class
    names = {type(None): "null", int: "integer", float: "real", str: "text", bytes: "blob", BrokenText: "text"}
    return names.get(type(value), type(value).__name__)


def show(value: object, limit: int = 60) -> str:
    """A short, unambiguous rendering for people; long values are cut and say so."""
    if isinstance(value, LargeValue):
        return f"{value.storage_class} of {value.size_bytes:,} bytes"
    if isinstance(value, Unreadable):
        return f"a time beyond Python's years, x'{value.raw.hex()}'"
    if isinstance(value, BrokenText):
        return f"invalid text x'{value.raw[:limit].hex()}'"
    if isinstance(value, bytes):
        return f"x'{value[:limit].hex()}'" + (f"… ({len(value):,} bytes)" if len(value) > limit else "")
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def hexed(value: object) -> str:
    """The value's bytes in hexadecimal (text as UTF-8), or its literal for numbers; '' for NULL."""
    if isinstance(value, BrokenText):
        return value.raw.hex()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, float):
        return value.hex()
    return "" if value is None else str(value)
