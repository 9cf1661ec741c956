"""Which rowids are left."""

from __future__ import annotations

from collections.abc import Iterable


def uncovered(wanted: Iterable[tuple[int, int]], covered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of the wanted ranges no covered one holds, in order; both ends of a range belong to it."""
    taken = sorted(covered)
    left: list[tuple[int, int]] = []
    for low, high in wanted:
        begin = low
        for first, last in taken:
            if last < begin or first > high:
                continue
            if first > begin:
                left.append((begin, first - 1))
            begin = last + 1
        if begin <= high:
            left.append((begin, high))
    return left
