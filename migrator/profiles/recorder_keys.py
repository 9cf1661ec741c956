"""The recorder's keys: rows without an id, and keys that SQLite no longer keeps unique, are healed in SQLite first.

Such rows would be rejected one by one, or refused by PostgreSQL after everything was copied. Which of two rows is the
right one is not for a migrator to say, so the person gets the statement that Home Assistant's own repairs amount to
(homeassistant/components/recorder/auto_repairs/statistics/duplicates.py of 2026.11: the newest row stays).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from migrator.core.census import TableCensus
from migrator.core.errors import SourceError
from migrator.core.findings import count_of
from migrator.core.model import Schema, Table, fold
from migrator.core.shapes import Shape
from migrator.profiles.profile import Shapes

_UNIQUE = re.compile(r"CREATE UNIQUE INDEX .+ USING btree \(([a-z_, ]+)\)")  # plain columns of the whole table


@dataclass(frozen=True)
class _Wound:
    what: str
    statements: tuple[str, ...]


def check(schema: Schema, census: Mapping[str, TableCensus], shapes: Shapes, recorded: Shapes) -> None:
    """Raise SourceError where rows lack the id that Home Assistant gives them, or where its keys may repeat.

    `shapes` are the tables to build. Only keys that are `recorded` too are Home Assistant's own.
    """
    wounds = [
        wound
        for table in schema.tables
        if (shape := shapes.get(fold(table.name))) and (known := recorded.get(shape.name))
        for wound in _wounds(table, census[table.name], shape, set(known.indexes))
    ]
    if wounds:
        healing = " ".join(f"{statement};" for wound in wounds for statement in wound.statements)
        raise SourceError(
            "Rows of this database cannot be told apart as Home Assistant's tables on PostgreSQL demand.",
            f"{'; '.join(wound.what for wound in wounds)}.",
            f'Stop Home Assistant, keep a copy of SOURCE, and run: sqlite3 SOURCE "{healing}"',
        )


def _wounds(table: Table, census: TableCensus, shape: Shape, recorded: Container[tuple[str, str]]) -> Iterator[_Wound]:
    name = shape.name
    columns = {fold(column.name): counted for column, counted in zip(table.columns, census.columns, strict=True)}
    numbered = {column.name for column in shape.columns if column.numbered}
    for column in sorted(numbered & columns.keys()):
        if nulls := columns[column].nulls:
            yield _Wound(
                f"{table.name} has {count_of(nulls, 'row')} without {column}",
                (f"UPDATE {name} SET {column} = {_next(name, column)} WHERE {column} IS NULL",),
            )
    for index, definition in shape.indexes:
        found = _UNIQUE.fullmatch(definition)
        if found is None or (index, definition) not in recorded:
            continue
        key = tuple(found[1].split(", "))
        if set(key) <= columns.keys() and not _is_unique(table, set(key)):
            yield _Wound(
                f"{table.name} has no unique index over {', '.join(key)}, so that rows may be there twice",
                (
                    _without_repeats(name, key, numbered),
                    f"CREATE UNIQUE INDEX {index} ON {name} ({', '.join(key)})",
                ),
            )


def _is_unique(table: Table, key: set[str]) -> bool:
    """Whether SQLite itself keeps these columns unique."""
    primary = {fold(name) for name in table.primary_key}
    return bool(primary and primary <= key) or any(
        index.unique
        and index.where is None
        and {fold(column.name) if column.name else None for column in index.columns} <= key
        for index in table.indexes
    )


def _next(name: str, column: str) -> str:
    return f"(SELECT coalesce(max({column}), 0) FROM {name}) + rowid"


def _without_repeats(name: str, key: tuple[str, ...], numbered: set[str]) -> str:
    """Of rows with one key the newest stays as it is.

    An older row gets another id or another name, so that nothing is lost, and only of a statistic that was compiled
    twice the older row is deleted, as Home Assistant does it.
    """
    listed = ", ".join(key)
    given = " AND ".join(f"{column} IS NOT NULL" for column in key)
    older = f"{given} AND rowid NOT IN (SELECT max(rowid) FROM {name} GROUP BY {listed})"
    [first, *more] = key
    if first in numbered:
        return f"UPDATE {name} SET {first} = {_next(name, first)} WHERE {older}"
    if more or name == "migration_changes":
        return f"DELETE FROM {name} WHERE {older}"
    return f"UPDATE {name} SET {first} = {first} || '_' || rowid WHERE {older}"
