"""Answers that depend on one another, worked out once: also where they go round in a circle.

Whoever is asked for while it is being worked out gives what is known of it so far, at first nothing. The outermost of
such a circle is worked out again with what came of it, until nothing is added; then all answers of the circle are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_Answer = TypeVar("_Answer", bound=frozenset[Any])
_ROUNDS = 4  # what still grows then, such as a list in itself, has no end
_DEEPEST = 400
_NOWHERE = 1 << 60


class Kept:
    """`kept(key, work)`: `work` gives a frozenset, and may ask for other keys."""

    def __init__(self) -> None:
        self._known: dict[Hashable, frozenset[Any]] = {}
        self._open: dict[Hashable, int] = {}  # how deep each stands
        self._so_far: dict[Hashable, frozenset[Any]] = {}
        self._waiting: dict[Hashable, tuple[frozenset[Any], int]] = {}  # answers that hold if those below them do
        self._lowest = _NOWHERE  # how deep the answers that were not final reach

    def forget(self) -> None:
        self._known.clear()

    def __call__(self, key: Hashable, work: Callable[[], _Answer]) -> _Answer:
        found: Any = self._known.get(key)
        if found is not None:
            return found  # type: ignore[no-any-return]
        if key in self._open:
            self._lowest = min(self._lowest, self._open[key])
            found = self._so_far[key]
        elif key in self._waiting:
            found, lowest = self._waiting[key]
            self._lowest = min(self._lowest, lowest)
        elif len(self._open) > _DEEPEST:
            self._lowest = 0
            found = frozenset()
        else:
            found = self._worked_out(key, work)
        return found  # type: ignore[no-any-return]

    def _worked_out(self, key: Hashable, work: Callable[[], frozenset[Any]]) -> frozenset[Any]:
        depth, before, waiting = len(self._open), self._lowest, len(self._waiting)
        self._open[key] = depth
        self._so_far[key] = frozenset()
        try:
            for _ in range(_ROUNDS):
                self._lowest = _NOWHERE
                found = work()
                if self._lowest != depth or found <= self._so_far[key]:
                    break
                self._so_far[key] |= found
                self._drop(waiting)
        finally:
            del self._open[key], self._so_far[key]
        if self._lowest < depth:
            self._waiting[key] = found, self._lowest
            self._lowest = min(self._lowest, before)
        else:
            self._known[key] = found
            self._known |= dict(self._drop(waiting))
            self._lowest = before
        return found

    def _drop(self, number: int) -> list[tuple[Hashable, frozenset[Any]]]:
        """Takes out the answers that came after so many."""
        dropped = []
        while len(self._waiting) > number:
            key, (answer, _) = self._waiting.popitem()
            dropped.append((key, answer))
        return dropped
