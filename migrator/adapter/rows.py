"""sqlite3.Row for rows of any cursor: its own class takes those of SQLite's cursors only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from migrator.core.model import fold

Description = tuple[tuple[Any, ...], ...]


class Described(Protocol):
    """A cursor, as far as a row wants to know it."""

    @property
    def description(self) -> Any: ...


class Row(Sequence[Any]):
    """A value by its place or by its column's name, in either case. Equal where names and values are."""

    __slots__ = ("_description", "_values")

    def __init__(self, cursor: Described, values: tuple[Any, ...]) -> None:
        self._description: Description = cursor.description
        self._values = values

    def keys(self) -> list[str]:
        return [column[0] for column in self._description]

    def __getitem__(self, key: Any) -> Any:
        """Raises IndexError for a place or a name that is not there."""
        if not isinstance(key, str):
            return self._values[key]
        wanted = fold(key)
        for column, value in zip(self._description, self._values, strict=False):
            if column[0] == key or fold(column[0]) == wanted:
                return value
        raise IndexError("No item with that key")

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return self._description == other._description and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._description) ^ hash(self._values)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__module__}.{type(self).__qualname__} {dict(zip(self.keys(), self._values, strict=False))}>"
        )
