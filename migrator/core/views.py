"""Results of a view on both engines, compared without an order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from migrator.core.findings import count_of

TOLERANCE = 1e-9  # relative; sums of floats depend on the order of the rows


def compare_results(ours: Sequence[Sequence[object]], theirs: Sequence[Sequence[object]]) -> tuple[str, bool]:
    """(the outcome in words, whether the results are the same)."""
    if len(ours) != len(theirs):
        return f"{count_of(len(theirs), 'row')} where SQLite has {len(ours):,}", False
    skipped = _other_types(theirs) | (_columns(theirs, bool) & _columns(ours, str))
    left = sorted((_plain(row, skipped) for row in ours), key=_sort_key)
    right = sorted((_plain(row, skipped) for row in theirs), key=_sort_key)
    for one, other in zip(left, right, strict=True):
        if not all(map(_same, one, other)):
            return "another result", False
    without = f", without {count_of(len(skipped), 'column')} of a converted type" if skipped else ""
    return f"same {count_of(len(ours), 'row')} (floats within {TOLERANCE:g} relative{without})", True


def _other_types(rows: Sequence[Sequence[object]]) -> frozenset[int]:
    """Columns whose PostgreSQL type has no counterpart in SQLite: dates and the like."""
    return _columns(rows, date, datetime, time, UUID, list, dict)


def _columns(rows: Sequence[Sequence[object]], *types: type) -> frozenset[int]:
    """Columns that have such a value in one row at least."""
    return frozenset(number for row in rows for number, value in enumerate(row) if isinstance(value, types))


def _plain(row: Sequence[object], skipped: frozenset[int]) -> list[object]:
    return [_number(value) for number, value in enumerate(row) if number not in skipped]


def _number(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, Decimal) else value


def _sort_key(row: Sequence[object]) -> tuple[object, ...]:
    """Exact columns first; floats only roughly, so that a last digit does not change the order."""
    exact = tuple(f"{type(value).__name__}{value!r}" for value in row if not isinstance(value, float))
    rough = tuple(f"{value:.6g}" for value in row if isinstance(value, float))
    return exact, rough


def _same(one: object, other: object) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(one) is type(other) and one == other
