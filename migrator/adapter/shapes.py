"""How the rows of one statement are read: its columns' names, and what makes SQLite's values of PostgreSQL's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import adapt, errors

from migrator.adapter.results import Reader

if TYPE_CHECKING:
    from psycopg.abc import Transformer
    from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Shape:
    """`make` is None where every value stays as psycopg has loaded it."""

    transformer: Transformer
    names: tuple[str, ...]
    make: Callable[[Row], Row] | None
    declared: tuple[str, ...] = ()

    def rows(self, result: PGresult) -> Sequence[Row]:
        """Raises sqlite3.DataError for a value that SQLite could not have."""
        self.transformer.set_pgresult(result, set_loaders=False)
        try:
            rows = self.transformer.load_rows(0, result.ntuples, tuple)
        except errors.Error as error:
            raise sqlite3.DataError(f"A value that SQLite could not have: {error}") from error
        return rows if self.make is None else list(map(self.make, rows))


def row_maker(readers: Sequence[Reader | None]) -> Callable[[Row], Row] | None:
    """None where there is nothing to make."""
    if not any(readers):
        return None
    changed = [(place, read) for place, read in enumerate(readers) if read is not None]

    def make(row: Row) -> Row:
        values = list(row)
        for place, read in changed:
            values[place] = read(values[place])
        return tuple(values)

    return make


def shape_of(
    context: Any,
    result: PGresult,
    names: Sequence[str],
    readers: Sequence[Reader | None],
    declared: Sequence[str],
) -> Shape:
    """For this result and all others of the same statement."""
    transformer = adapt.Transformer(context)
    transformer.set_pgresult(result, set_loaders=True)
    return Shape(transformer, tuple(names), row_maker(readers), tuple(declared))
