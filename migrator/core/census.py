"""The census: what every column really holds, counted batch by batch and mergeable over ranges and processes.

A declared type promises nothing in SQLite, so the plan rests on this evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from migrator.core.formats import NUMBER, OTHER, text_format
from migrator.core.values import BrokenText, LargeValue, Value

MAX_DISTINCT = 4  # enough to recognise a boolean's spellings with two outliers
MAX_DISTINCT_LENGTH = 32
MAX_FORMATS = 24
FREE_TEXT = 1_000  # so many texts without a format make a column free text, and counting formats stops
T = TypeVar("T", int, float)

MANY_DECIMALS = 7  # more than a DECIMAL(p,s) of money or measurements has


@dataclass
class ColumnCensus:
    """Counts of one column. Mutable while it is taken; `merge` adds another range's."""

    rows: int = 0
    nulls: int = 0
    integers: int = 0
    min_integer: int | None = None
    max_integer: int | None = None
    reals: int = 0
    min_real: float | None = None
    max_real: float | None = None
    infinite: int = 0
    beyond_int64: int = 0  # reals of 2**63 and more without a fraction: SQLite has already rounded them
    whole_reals: int = 0  # reals without a fraction
    max_decimals: int = 0  # digits after the point that a real needs; MANY_DECIMALS ends the counting
    not_microseconds: int = 0  # reals that are no whole number of microseconds, so no exact timestamp
    texts: int = 0
    max_characters: int = 0
    max_text_bytes: int = 0
    empty_texts: int = 0
    texts_with_nul: int = 0
    broken_texts: int = 0
    blobs: int = 0
    min_blob_bytes: int | None = None
    max_blob_bytes: int = 0
    numeric_texts: int = 0  # texts that SQLite's NUMERIC affinity would turn into numbers
    formats: Counter[str] = field(default_factory=Counter)
    free_text: bool = False
    distinct: set[int | float | str | bytes] | None = field(default_factory=set)

    @property
    def stored(self) -> int:
        """Values that are not NULL."""
        return self.rows - self.nulls

    def add(self, values: Sequence[Value]) -> None:
        """Count one batch of this column."""
        self.rows += len(values)
        kinds = set(map(type, values))
        kinds.discard(type(None))
        if not kinds:
            self.nulls += len(values)
            return
        if len(kinds) == 1 and values.count(None) == 0:
            self._add_kind(kinds.pop(), values)
            return
        present = [value for value in values if value is not None]
        self.nulls += len(values) - len(present)
        for kind in kinds:
            self._add_kind(kind, [value for value in present if type(value) is kind])

    def _add_kind(self, kind: type, values: Sequence[Value]) -> None:
        adders = {
            int: self._add_integers,
            float: self._add_reals,
            str: self._add_texts,
            bytes: self._add_blobs,
            BrokenText: self._add_broken,
            LargeValue: self._add_large,
        }
        adders[kind](values)  # type: ignore[operator]  # the table pairs each type with its own adder
        if self.distinct is not None:
            self._add_distinct(values)

    def _add_distinct(self, values: Sequence[Value]) -> None:
        assert self.distinct is not None
        seen = set(values[:64])
        if len(self.distinct | seen) <= MAX_DISTINCT:
            seen = set(values)
        if any(isinstance(value, (str, bytes)) and len(value) > MAX_DISTINCT_LENGTH for value in seen):
            self.distinct = None
            return
        self.distinct |= seen  # type: ignore[arg-type]
        if len(self.distinct) > MAX_DISTINCT:
            self.distinct = None

    def _add_integers(self, values: Sequence[int]) -> None:
        self.integers += len(values)
        self.min_integer = _least(self.min_integer, min(values))
        self.max_integer = _most(self.max_integer, max(values))

    def _add_reals(self, values: Sequence[float]) -> None:
        self.reals += len(values)
        low, high = min(values), max(values)
        self.min_real = _least(self.min_real, low)
        self.max_real = _most(self.max_real, high)
        if high >= 2.0**63 or low <= -(2.0**63):
            self.infinite += sum(value in (float("inf"), float("-inf")) for value in values)
            self.beyond_int64 += sum(2.0**63 <= abs(value) < 1e300 and value.is_integer() for value in values)
        self.whole_reals += sum(map(float.is_integer, values))
        if self.max_decimals < MANY_DECIMALS:
            self.max_decimals = max(self.max_decimals, max(map(_decimals, values)))
        if not self.not_microseconds:
            self.not_microseconds += sum(not is_whole_microseconds(value) for value in values)

    def _add_texts(self, values: Sequence[str]) -> None:
        self.texts += len(values)
        joined = "".join(values)
        longest = max(map(len, values))
        self.max_characters = max(self.max_characters, longest)
        if joined.isascii():
            self.max_text_bytes = max(self.max_text_bytes, longest)
        else:
            self.max_text_bytes = max(self.max_text_bytes, max(len(value.encode()) for value in values))
        if "\0" in joined:
            self.texts_with_nul += sum("\0" in value for value in values)
        self.empty_texts += values.count("")
        if not self.free_text:
            self._add_formats(values)

    def _add_formats(self, values: Sequence[str]) -> None:
        for text, count in Counter(values).items():
            self.formats[text_format(text)] += count
        self.numeric_texts = self.formats[NUMBER]
        if self.formats[OTHER] > FREE_TEXT or len(self.formats) > MAX_FORMATS:
            self._stop_counting_formats()

    def _stop_counting_formats(self) -> None:
        self.free_text = True
        self.formats = Counter()

    def _add_blobs(self, values: Sequence[bytes]) -> None:
        self.blobs += len(values)
        sizes = [len(value) for value in values]
        self._add_blob_sizes(min(sizes), max(sizes))

    def _add_blob_sizes(self, least: int, most: int) -> None:
        self.min_blob_bytes = _least(self.min_blob_bytes, least)
        self.max_blob_bytes = max(self.max_blob_bytes, most)

    def _add_broken(self, values: Sequence[BrokenText]) -> None:
        self.texts += len(values)
        self.broken_texts += len(values)
        self.max_text_bytes = max(self.max_text_bytes, max(len(value.raw) for value in values))
        self.formats[OTHER] += len(values)

    def _add_large(self, values: Sequence[LargeValue]) -> None:
        for value in values:
            if value.storage_class == "text":
                self.texts += 1
                self.texts_with_nul += value.has_nul
                self.broken_texts += value.broken
                self.max_characters = max(self.max_characters, value.characters)
                self.max_text_bytes = max(self.max_text_bytes, value.size_bytes)
                self.formats[OTHER] += 1
            else:
                self.blobs += 1
                self._add_blob_sizes(value.size_bytes, value.size_bytes)

    def merge(self, other: ColumnCensus) -> None:
        """Add the counts of another part of the same column."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("min_integer", "min_real", "min_blob_bytes"):
            setattr(self, name, _least(getattr(self, name), getattr(other, name)))
        for name in ("max_integer", "max_real"):
            setattr(self, name, _most(getattr(self, name), getattr(other, name)))
        for name in ("max_decimals", "max_characters", "max_text_bytes", "max_blob_bytes"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.formats += other.formats
        self.free_text |= other.free_text
        if self.free_text or len(self.formats) > MAX_FORMATS or self.formats[OTHER] > FREE_TEXT:
            self._stop_counting_formats()
        if self.distinct is not None and other.distinct is not None:
            self.distinct |= other.distinct
            if len(self.distinct) <= MAX_DISTINCT:
                return
        self.distinct = None


_SUMS = (
    "rows",
    "nulls",
    "integers",
    "reals",
    "infinite",
    "beyond_int64",
    "whole_reals",
    "not_microseconds",
    "texts",
    "empty_texts",
    "texts_with_nul",
    "broken_texts",
    "blobs",
    "numeric_texts",
)


@dataclass
class TableCensus:
    """One ColumnCensus per column, in the order the rows were read."""

    columns: list[ColumnCensus]
    rows: int = 0

    @classmethod
    def empty(cls, columns: int) -> TableCensus:
        return cls([ColumnCensus() for _ in range(columns)])

    def add(self, batch: Sequence[Sequence[Value]]) -> None:
        self.rows += len(batch)
        for census, values in zip(self.columns, zip(*batch, strict=True), strict=True):
            census.add(values)

    def merge(self, others: Iterable[TableCensus]) -> TableCensus:
        for other in others:
            self.rows += other.rows
            for mine, theirs in zip(self.columns, other.columns, strict=True):
                mine.merge(theirs)
        return self


def is_whole_microseconds(value: float) -> bool:
    """True where the seconds since 1970 can be a timestamp of PostgreSQL and come back as the same double."""
    return abs(value) < 2.0**52 and round(value * 1e6) / 1e6 == value and not (value == 0 and str(value)[0] == "-")


def _decimals(value: float) -> int:
    text = repr(value)
    return MANY_DECIMALS if "e" in text or "n" in text else len(text) - text.index(".") - 1


def _least(one: T | None, other: T | None) -> T | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: T | None, other: T | None) -> T | None:
    return other if one is None else one if other is None else max(one, other)
