"""The source's schema, as SQLite itself describes it.

Names follow SQLite's documentation: *declared type* is the text in the CREATE statement, *affinity* is what SQLite
makes of it (https://www.sqlite.org/datatype3.html#determination_of_column_affinity), *storage class* is what a value
is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Affinity(StrEnum):
    INTEGER = "INTEGER"
    TEXT = "TEXT"
    BLOB = "BLOB"
    REAL = "REAL"
    NUMERIC = "NUMERIC"


def affinity(declared_type: str) -> Affinity:
    """SQLite's five rules, in SQLite's order: FLOATING POINT contains INT and is INTEGER."""
    declared = declared_type.upper()
    if "INT" in declared:
        return Affinity.INTEGER
    if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
        return Affinity.TEXT
    if "BLOB" in declared or not declared.strip():
        return Affinity.BLOB
    if any(word in declared for word in ("REAL", "FLOA", "DOUB")):
        return Affinity.REAL
    return Affinity.NUMERIC


class Generated(StrEnum):
    NOT = ""
    VIRTUAL = "virtual"
    STORED = "stored"


class TableKind(StrEnum):
    TABLE = "table"
    VIRTUAL = "virtual"
    SHADOW = "shadow"


@dataclass(frozen=True)
class Column:
    name: str
    declared_type: str
    affinity: Affinity
    not_null: bool
    default: str | None  # the SQL text after DEFAULT, as written
    collation: str  # BINARY, NOCASE, RTRIM or an application's own
    generated: Generated = Generated.NOT
    expression: str | None = None  # of a generated column, as written


@dataclass(frozen=True)
class Check:
    expression: str
    name: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    """parent_columns is never empty: an omitted list is resolved to the parent's primary key where there is one."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: bool = False
    initially_deferred: bool = False
    name: str | None = None


@dataclass(frozen=True)
class IndexColumn:
    """A column by name, or an expression as written in the CREATE INDEX statement; exactly one of the two is set."""

    name: str | None
    expression: str | None = None
    descending: bool = False
    collation: str = "BINARY"


@dataclass(frozen=True)
class Index:
    """origin is SQLite's: c (CREATE INDEX), u (UNIQUE constraint), pk (PRIMARY KEY)."""

    name: str
    table: str
    unique: bool
    origin: str
    columns: tuple[IndexColumn, ...]
    where: str | None = None  # a partial index's predicate, as written
    conflict: str | None = None  # the ON CONFLICT resolution of a UNIQUE constraint
    sql: str | None = None


@dataclass(frozen=True)
class Conflict:
    """The ON CONFLICT resolution of a PRIMARY KEY or NOT NULL; those of UNIQUE constraints stand at their index."""

    columns: tuple[str, ...]
    resolution: str


_SEARCH = re.compile(r"\bUSING\s+[\"'`\[]?fts[345]\b", re.IGNORECASE)
_CONTENT = re.compile(r"[(,]\s*content\s*=", re.IGNORECASE)  # https://sqlite.org/fts5.html, "External Content Tables"


@dataclass(frozen=True)
class Table:
    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    rowid_alias: str | None  # the INTEGER PRIMARY KEY column that is the rowid itself
    autoincrement: bool
    without_rowid: bool
    strict: bool
    checks: tuple[Check, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]
    sql: str
    conflicts: tuple[Conflict, ...] = ()

    @property
    def holds_content(self) -> bool:
        """Whether a virtual table may hold what is stored nowhere else: all but full-text search over another table."""
        search = _SEARCH.search(self.sql) is not None
        return self.kind is TableKind.VIRTUAL and not (search and _CONTENT.search(self.sql))

    def column(self, name: str) -> Column:
        """The column of that name, compared as SQLite does (ASCII letters in either case). Raises KeyError."""
        return self._columns[fold(name)]

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {fold(column.name): column for column in self.columns}


@dataclass(frozen=True)
class View:
    name: str
    columns: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Trigger:
    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Schema:
    tables: tuple[Table, ...]
    views: tuple[View, ...]
    triggers: tuple[Trigger, ...]
    encoding: str  # UTF-8, UTF-16le or UTF-16be
    user_version: int
    application_id: int

    def table(self, name: str) -> Table:
        """The table of that name, compared as SQLite does. Raises KeyError."""
        return self._tables[fold(name)]

    @cached_property
    def _tables(self) -> dict[str, Table]:
        return {fold(table.name): table for table in self.tables}


_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(name: str) -> str:
    """Lower case as SQLite folds identifiers and NOCASE text: the 26 ASCII letters and nothing else."""
    return name.translate(_FOLD)


def same_name(one: str, other: str) -> bool:
    return fold(one) == fold(other)
