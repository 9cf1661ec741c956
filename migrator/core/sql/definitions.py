"""What a CREATE statement says beyond SQLite's PRAGMAs: checks, names of constraints, deferrability, expressions.

The statements are those of sqlite_schema, so SQLite has accepted them once. Expressions are sliced from the text, never
rendered anew. Grammar: https://www.sqlite.org/src/file/src/parse.y
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from migrator.core.model import same_name
from migrator.core.sql.cursor import Cursor, DefinitionError
from migrator.core.sql.indexed import IndexedColumn, direction, indexed_column

__all__ = [
    "CheckDefinition",
    "ColumnDefinition",
    "DefinitionError",
    "ForeignKeyDefinition",
    "IndexDefinition",
    "IndexedColumn",
    "KeyDefinition",
    "TableDefinition",
    "ViewDefinition",
    "read_index",
    "read_table",
    "read_view",
]


@dataclass(frozen=True)
class CheckDefinition:
    expression: str  # without its outer parentheses
    name: str | None = None


@dataclass(frozen=True)
class ForeignKeyDefinition:
    """parent_columns is empty where the statement leaves them out."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...] = ()
    name: str | None = None
    deferrable: bool = False
    initially_deferred: bool = False


@dataclass(frozen=True)
class KeyDefinition:
    """A PRIMARY KEY or UNIQUE constraint of the table."""

    columns: tuple[IndexedColumn, ...]
    name: str | None = None
    conflict: str | None = None  # REPLACE, IGNORE, … in upper case


@dataclass(frozen=True)
class ColumnDefinition:
    name: str
    collation: str | None = None
    default: str | None = None  # as written, its parentheses included
    generated: str | None = None  # the expression without its outer parentheses
    stored: bool = False
    checks: tuple[CheckDefinition, ...] = ()
    references: tuple[ForeignKeyDefinition, ...] = ()
    primary_key: bool = False
    primary_key_name: str | None = None
    primary_key_descending: bool = False
    primary_key_conflict: str | None = None
    autoincrement: bool = False
    unique: bool = False
    unique_name: str | None = None
    unique_conflict: str | None = None
    not_null: bool = False
    not_null_conflict: str | None = None


@dataclass(frozen=True)
class TableDefinition:
    name: str
    columns: tuple[ColumnDefinition, ...]
    primary_key: KeyDefinition | None = None  # the table constraint, not the column's
    unique: tuple[KeyDefinition, ...] = ()
    checks: tuple[CheckDefinition, ...] = ()  # the table's own
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()  # the table's own
    autoincrement: bool = False
    without_rowid: bool = False
    strict: bool = False

    @property
    def all_checks(self) -> tuple[CheckDefinition, ...]:
        """The columns' and the table's, in the order of the statement."""
        return tuple(check for column in self.columns for check in column.checks) + self.checks

    @property
    def all_foreign_keys(self) -> tuple[ForeignKeyDefinition, ...]:
        """The columns' and the table's, in the order of the statement: PRAGMA foreign_key_list counts from the end."""
        return tuple(key for column in self.columns for key in column.references) + self.foreign_keys

    def column(self, name: str) -> ColumnDefinition:
        """The column of that name, compared as SQLite does. Raises KeyError."""
        for column in self.columns:
            if same_name(column.name, name):
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class IndexDefinition:
    name: str
    table: str
    unique: bool
    columns: tuple[IndexedColumn, ...]
    where: str | None = None


@dataclass(frozen=True)
class ViewDefinition:
    name: str
    columns: tuple[str, ...]  # the explicit list; empty where there is none
    select: str


@lru_cache(maxsize=2048)  # a schema is read again behind each ALTER TABLE of a program
def read_table(sql: str) -> TableDefinition:
    """A CREATE TABLE statement with a column list. Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("CREATE")
    cursor.skip_words("TEMP", "TEMPORARY")
    cursor.expect_word("TABLE")
    return _TableBuilder(cursor, cursor.object_name()).table()


def read_index(sql: str) -> IndexDefinition:
    """A CREATE INDEX statement. Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("CREATE")
    unique = cursor.accept_word("UNIQUE")
    cursor.expect_word("INDEX")
    name = cursor.object_name()
    cursor.expect_word("ON")
    table = cursor.name()
    columns = tuple(cursor.in_list(lambda: indexed_column(cursor)))
    where = cursor.rest() if cursor.accept_word("WHERE") else None
    cursor.expect_end()
    return IndexDefinition(name, table, unique, columns, where)


def read_view(sql: str) -> ViewDefinition:
    """A CREATE VIEW statement. Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("CREATE")
    cursor.skip_words("TEMP", "TEMPORARY")
    cursor.expect_word("VIEW")
    name = cursor.object_name()
    columns = cursor.names() if cursor.at_operator("(") else ()
    cursor.expect_word("AS")
    return ViewDefinition(name, columns, cursor.rest())


# Words that end a column's type; SQLite's parser takes every other word for a part of it.
_AFTER_TYPE = (
    *("CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES"),
    *("DEFERRABLE", "AS"),
)
_TABLE_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
_CONFLICTS = ("ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE")
_Reader = tuple[tuple[str, ...], Callable[["_TableBuilder", ColumnDefinition], ColumnDefinition]]


class _TableBuilder:
    """Reads a table's columns, then its constraints, then its options."""

    def __init__(self, cursor: Cursor, name: str) -> None:
        self.cursor = cursor
        self.table_so_far = TableDefinition(name, ())
        self.constraint_name: str | None = None

    def table(self) -> TableDefinition:
        self.cursor.expect_operator("(")
        self._column()
        while self.cursor.accept_operator(",") and not self.cursor.at_word(*_TABLE_CONSTRAINTS):
            self._column()
        while not self.cursor.accept_operator(")"):
            self._table_constraint()
            self.cursor.accept_operator(",")
        self._options()
        self.cursor.expect_end()
        return self.table_so_far

    def _options(self) -> None:
        while self.cursor.peek() is not None:
            if self.cursor.accept_word("WITHOUT"):
                self.cursor.expect_word("ROWID")
                self._add_to_table(without_rowid=True)
            else:
                self.cursor.expect_word("STRICT")
                self._add_to_table(strict=True)
            if not self.cursor.accept_operator(","):
                return

    def _add_to_table(self, **changes: Any) -> None:
        self.table_so_far = replace(self.table_so_far, **changes)

    def _take_name(self) -> str | None:
        """The name that CONSTRAINT gave; it is for one constraint."""
        name, self.constraint_name = self.constraint_name, None
        return name

    # Columns

    def _column(self) -> None:
        self.constraint_name = None
        column = ColumnDefinition(self.cursor.name())
        self._skip_type()
        while not self.cursor.at_operator(",", ")"):
            column = self._column_constraint(column)
        self._add_to_table(columns=(*self.table_so_far.columns, column))

    def _skip_type(self) -> None:
        while self.cursor.at_name() and not self.cursor.at_word(*_AFTER_TYPE) and not self._at_generated():
            self.cursor.name()
        if self.cursor.at_operator("("):
            self.cursor.parenthesised()

    def _at_generated(self) -> bool:
        """GENERATED alone is a fine name of a type."""
        always = self.cursor.peek(1)
        return self.cursor.at_word("GENERATED") and always is not None and always.is_word("ALWAYS")

    def _column_constraint(self, column: ColumnDefinition) -> ColumnDefinition:
        for words, read in self._READERS:
            if self.cursor.accept_word(*words):
                return read(self, column)
        raise self.cursor.fail("a column constraint")

    def _named(self, column: ColumnDefinition) -> ColumnDefinition:
        self.constraint_name = self.cursor.name()
        return column

    def _collated(self, column: ColumnDefinition) -> ColumnDefinition:
        return replace(column, collation=self.cursor.name())

    def _defaulted(self, column: ColumnDefinition) -> ColumnDefinition:
        start = self.cursor.at
        if self.cursor.at_operator("("):
            self.cursor.parenthesised()
        else:
            _ = self.cursor.accept_operator("-") or self.cursor.accept_operator("+")
            self.cursor.literal()
        return replace(column, default=self.cursor.slice(self.cursor.tokens[start : self.cursor.at]))

    def _checked(self, column: ColumnDefinition) -> ColumnDefinition:
        return replace(column, checks=(*column.checks, self._check()))

    def _check(self) -> CheckDefinition:
        check = CheckDefinition(self.cursor.parenthesised(), self._take_name())
        self._conflict()
        return check

    def _generated(self, column: ColumnDefinition) -> ColumnDefinition:
        expression = self.cursor.parenthesised()
        stored = self.cursor.accept_word("STORED")
        self.cursor.accept_word("VIRTUAL")
        return replace(column, generated=expression, stored=stored)

    def _primary(self, column: ColumnDefinition) -> ColumnDefinition:
        name = self._take_name()
        descending = direction(self.cursor)
        conflict = self._conflict()
        autoincrement = self.cursor.accept_word("AUTOINCREMENT")
        return replace(
            column,
            primary_key=True,
            primary_key_name=name,
            primary_key_descending=descending,
            primary_key_conflict=conflict,
            autoincrement=autoincrement,
        )

    def _unique(self, column: ColumnDefinition) -> ColumnDefinition:
        return replace(column, unique=True, unique_name=self._take_name(), unique_conflict=self._conflict())

    def _not_null(self, column: ColumnDefinition) -> ColumnDefinition:
        self._take_name()
        return replace(column, not_null=True, not_null_conflict=self._conflict())

    def _nullable(self, column: ColumnDefinition) -> ColumnDefinition:
        self._take_name()
        self._conflict()
        return column

    def _references(self, column: ColumnDefinition) -> ColumnDefinition:
        return replace(column, references=(*column.references, self._foreign_key((column.name,))))

    def _deferred(self, column: ColumnDefinition) -> ColumnDefinition:
        """SQLite lets a deferral stand apart from its REFERENCES, even where there is none; it is the last one's."""
        initially_deferred = self._initially_deferred()
        last = [replace(key, deferrable=True, initially_deferred=initially_deferred) for key in column.references[-1:]]
        return replace(column, references=(*column.references[:-1], *last))

    def _not_deferred(self, column: ColumnDefinition) -> ColumnDefinition:
        self._initially_deferred()
        return column

    _READERS: tuple[_Reader, ...] = (
        (("CONSTRAINT",), _named),
        (("COLLATE",), _collated),
        (("DEFAULT",), _defaulted),
        (("CHECK",), _checked),
        (("GENERATED", "ALWAYS", "AS"), _generated),
        (("AS",), _generated),
        (("PRIMARY", "KEY"), _primary),
        (("UNIQUE",), _unique),
        (("NOT", "NULL"), _not_null),
        (("NULL",), _nullable),
        (("REFERENCES",), _references),
        (("NOT", "DEFERRABLE"), _not_deferred),
        (("DEFERRABLE",), _deferred),
    )

    # The table's own constraints

    def _table_constraint(self) -> None:
        cursor = self.cursor
        if cursor.accept_word("CONSTRAINT"):
            self.constraint_name = cursor.name()
        elif cursor.accept_word("PRIMARY", "KEY"):
            self._add_to_table(primary_key=self._key())
        elif cursor.accept_word("UNIQUE"):
            self._add_to_table(unique=(*self.table_so_far.unique, self._key()))
        elif cursor.accept_word("CHECK"):
            self._add_to_table(checks=(*self.table_so_far.checks, self._check()))
        elif cursor.accept_word("FOREIGN", "KEY"):
            key = self._deferral(self._foreign_key(cursor.names_before("REFERENCES")))
            self._add_to_table(foreign_keys=(*self.table_so_far.foreign_keys, key))
        else:
            raise cursor.fail("a table constraint")

    def _key(self) -> KeyDefinition:
        name = self._take_name()
        columns = self.cursor.in_list(self._key_column)
        return KeyDefinition(tuple(columns), name, self._conflict())

    def _key_column(self) -> IndexedColumn:
        column = indexed_column(self.cursor)
        if self.cursor.accept_word("AUTOINCREMENT"):
            self._add_to_table(autoincrement=True)
        return column

    def _foreign_key(self, columns: tuple[str, ...]) -> ForeignKeyDefinition:
        """What follows REFERENCES; the actions are left to PRAGMA foreign_key_list."""
        key = ForeignKeyDefinition(columns, self.cursor.name(), name=self._take_name())
        if self.cursor.at_operator("("):
            key = replace(key, parent_columns=self.cursor.names())
        self._skip_actions()
        return key

    def _deferral(self, key: ForeignKeyDefinition) -> ForeignKeyDefinition:
        if self.cursor.accept_word("NOT", "DEFERRABLE"):
            self._initially_deferred()
            return key
        if self.cursor.accept_word("DEFERRABLE"):
            return replace(key, deferrable=True, initially_deferred=self._initially_deferred())
        return key

    def _skip_actions(self) -> None:
        while self.cursor.at_word("ON", "MATCH"):
            if self.cursor.accept_word("MATCH"):
                self.cursor.name()
                continue
            self.cursor.expect_word("ON")
            self.cursor.name()  # DELETE, UPDATE or INSERT
            two_words = self.cursor.accept_word("SET") or self.cursor.accept_word("NO")
            self.cursor.name() if two_words else self.cursor.expect_one_of("CASCADE", "RESTRICT")

    def _initially_deferred(self) -> bool:
        if not self.cursor.accept_word("INITIALLY"):
            return False
        return self.cursor.expect_one_of("DEFERRED", "IMMEDIATE") == "DEFERRED"

    def _conflict(self) -> str | None:
        if not self.cursor.accept_word("ON", "CONFLICT"):
            return None
        return self.cursor.expect_one_of(*_CONFLICTS)
