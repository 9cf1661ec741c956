"""Are two batches of rows the same, exact in type and bits, and if not, where do they differ?"""

from __future__ import annotations

import hashlib
import marshal
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from migrator.core.convert import is_same
from migrator.core.values import BrokenText, LargeValue, show

MAX_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: a value, a row, a constraint. `column` is None for a whole row."""

    table: str
    key: dict[str, object]
    column: str | None
    source: str
    target: str

    def __str__(self) -> str:
        where = ", ".join(f"{name}={value!r}" for name, value in self.key.items())
        column = f".{self.column}" if self.column else ""
        return f"{self.table}{column} [{where}]: source {self.source}, target {self.target}"


@dataclass
class Comparison:
    """The outcome over some rows. `differences` holds the first MAX_SHOWN; `differing` counts them all."""

    rows: int = 0
    healed: int = 0
    rejected: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        self.differing += 1
        if len(self.differences) < MAX_SHOWN:
            self.differences.append(difference)

    def merge(self, other: Comparison) -> None:
        self.rows += other.rows
        self.healed += other.healed
        self.rejected += other.rejected
        self.differing += other.differing
        self.differences += other.differences[: max(0, MAX_SHOWN - len(self.differences))]


def identical(one: object, other: object) -> bool:
    """True if both hold the same values in type and bits. marshal's version 2 writes every value out in full."""
    try:
        return marshal.dumps(cast(Any, one), 2) == marshal.dumps(cast(Any, other), 2)
    except ValueError:  # a value that marshal does not know: the careful comparison looks at each by itself
        return False


def same_value(one: object, other: object) -> bool:
    if isinstance(one, BrokenText | LargeValue) or isinstance(other, BrokenText | LargeValue):
        return one == other
    return is_same(one, other)


def row_difference(
    table: str, key: dict[str, object], names: Sequence[str], source: Sequence[object], target: Sequence[object]
) -> Iterable[Difference]:
    """The differing values of one row."""
    for name, ours, theirs in zip(names, source, target, strict=True):
        if not same_value(ours, theirs):
            yield Difference(table, key, name, show(ours), show(theirs))


class Multiset:
    """Rows without an order: the sum of their 128-bit hashes, and on request every hash with its count."""

    def __init__(self, keep: bool = False) -> None:
        self.total = 0
        self.count = 0
        self.hashes: Counter[bytes] | None = Counter() if keep else None

    def add(self, row: Sequence[object]) -> bytes:
        digest = hashlib.blake2b(_dumped(row), digest_size=16).digest()
        self.total = (self.total + int.from_bytes(digest, "big")) % (1 << 128)
        self.count += 1
        if self.hashes is not None:
            self.hashes[digest] += 1
        return digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Multiset) and (self.total, self.count) == (other.total, other.count)

    __hash__ = None  # type: ignore[assignment]  # mutable


def _dumped(row: Sequence[object]) -> bytes:
    try:
        return marshal.dumps(cast(Any, tuple(row)), 2)
    except ValueError:  # a value that marshal does not know
        return marshal.dumps(cast(Any, _plain(row)), 2)


def _plain(row: Sequence[object]) -> tuple[object, ...]:
    """The row in types that marshal knows."""
    return tuple(("broken", value.raw) if isinstance(value, BrokenText) else value for value in row)
