"""Any tables of PostgreSQL, as far as SQLite could have them too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PgColumn:
    """`type` is as PostgreSQL prints it; `base` the type without arguments, of a domain the one below it.

    `sequence` says that PostgreSQL gives the values out: as an identity, or as what is called serial. `default` is the
    expression, of a generated column the one that it is generated from.
    """

    name: str
    type: str
    base: str
    not_null: bool = False
    default: str | None = None
    generated: bool = False
    sequence: bool = False
    negative_zeros: bool = False  # whether one is stored, where that has been looked for


@dataclass(frozen=True)
class PgIndex:
    """`origin` is p, u or x for what belongs to a constraint, else empty. `columns` lacks expressions.

    `plain` says that it is a B-tree over whole columns and all rows; `definition` is how PostgreSQL prints it.
    """

    name: str
    unique: bool
    origin: str
    columns: tuple[str, ...]
    descending: tuple[bool, ...]
    plain: bool
    nulls_distinct: bool
    definition: str


@dataclass(frozen=True)
class PgReference:
    """A foreign key. `plain` is False where SQLite has none like it; actions are in SQL's words."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str
    on_delete: str
    deferrable: bool
    deferred: bool
    plain: bool
    definition: str


@dataclass(frozen=True)
class PgTable:
    name: str
    columns: tuple[PgColumn, ...]
    indexes: tuple[PgIndex, ...] = ()
    references: tuple[PgReference, ...] = ()
    only: bool = False  # others inherit from it, and are tables of their own

    @property
    def primary_key(self) -> tuple[str, ...]:
        return next((index.columns for index in self.indexes if index.origin == "p"), ())

    def column(self, name: str) -> PgColumn | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class PgObject:
    """Something that SQLite has not, or not so: its kind, where it is, and its definition."""

    kind: str
    where: str
    definition: str


@dataclass(frozen=True)
class PgSchema:
    name: str
    tables: tuple[PgTable, ...]
    others: tuple[PgObject, ...]

    def table(self, name: str) -> PgTable | None:
        return next((table for table in self.tables if table.name == name), None)
