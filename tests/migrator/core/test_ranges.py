"""Which rowids are left, against sets of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrator.core.ranges import uncovered

LOW, HIGH = -12, 12
RANGES = st.lists(st.tuples(st.integers(LOW, HIGH), st.integers(LOW, HIGH)).map(lambda ends: tuple(sorted(ends))))


def numbers(ranges: list[tuple[int, int]]) -> list[int]:
    return [number for low, high in ranges for number in range(low, high + 1)]


@given(st.lists(st.integers(LOW, HIGH), unique=True), RANGES)
def test_what_is_left_is_what_no_range_covers(bounds: list[int], covered: list[tuple[int, int]]) -> None:
    ends = sorted(bounds)
    wanted = list(zip(ends[::2], ends[1::2], strict=False))
    left = uncovered(wanted, covered)
    assert numbers(left) == sorted(set(numbers(wanted)) - set(numbers(covered)))
    assert all(low <= high for low, high in left)


def test_ends_belong_to_their_range() -> None:
    edge = 2**63 - 1
    assert uncovered([(1, edge)], [(1, 9), (11, edge)]) == [(10, 10)]
    assert uncovered([(1, 5)], []) == [(1, 5)]
    assert uncovered([], [(1, 5)]) == []
