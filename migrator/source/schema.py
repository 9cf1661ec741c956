"""Reading the schema: SQLite's PRAGMAs say what is, the CREATE statements say what the PRAGMAs leave out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from migrator.core.findings import Finding, Severity
from migrator.core.model import (
    Affinity,
    Check,
    Column,
    Conflict,
    ForeignKey,
    Generated,
    Index,
    IndexColumn,
    Schema,
    Table,
    TableKind,
    Trigger,
    View,
    affinity,
    fold,
    same_name,
)
from migrator.core.names import quote_identifier
from migrator.core.sql.definitions import DefinitionError, TableDefinition, read_index, read_table
from migrator.source.connection import open_readable, source_errors

_KINDS = {"table": TableKind.TABLE, "virtual": TableKind.VIRTUAL, "shadow": TableKind.SHADOW}
_GENERATED = {2: Generated.VIRTUAL, 3: Generated.STORED}
_EMPTY = TableDefinition("", ())


@dataclass(frozen=True)
class SchemaReading:
    """The schema, and what could not be read of it."""

    schema: Schema
    findings: tuple[Finding, ...]


def read_schema(connection: apsw.Connection) -> SchemaReading:
    """Every table, index, foreign key, view and trigger of the main database, in the order of their names."""
    return _Reader(connection).read()


@contextmanager
def open_schema(source: Path, scratch: Path) -> Iterator[tuple[Path, Schema]]:
    """The path to read (a copy in `scratch` where the source cannot be read in place) and the schema."""
    connection, path = open_readable(source, scratch)
    try:
        with source_errors(source):
            yield path, read_schema(connection).schema
    finally:
        connection.close()


class _Reader:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._findings: list[Finding] = []
        self._sql = {
            (kind, name): sql
            for kind, name, sql in connection.execute("SELECT type, name, sql FROM main.sqlite_schema")
        }

    def read(self) -> SchemaReading:
        listed = [
            (name, kind, bool(without_rowid), bool(strict))
            for schema, name, kind, _, without_rowid, strict in self._connection.execute("PRAGMA main.table_list")
            if schema == "main" and not name.lower().startswith("sqlite_")
        ]
        listed.sort()
        tables = tuple(self._table(*row) for row in listed if row[1] in _KINDS)
        schema = Schema(
            tables=_resolve_parents(tables),
            views=tuple(self._view(name) for name, kind, *_ in listed if kind == "view"),
            triggers=tuple(self._triggers()),
            encoding=str(self._connection.pragma("encoding")),
            user_version=int(self._connection.pragma("user_version")),
            application_id=int(self._connection.pragma("application_id")),
        )
        return SchemaReading(schema, tuple(self._findings))

    def _table(self, name: str, kind: str, without_rowid: bool, strict: bool) -> Table:
        sql = self._sql.get(("table", name)) or ""
        definition = self._definition(name, sql) if kind == "table" else _EMPTY
        rows = [] if kind == "virtual" else self._columns(name)
        indexes = tuple(self._indexes(name, definition)) if kind == "table" else ()
        primary_key = tuple(str(row[1]) for row in sorted(rows, key=lambda row: int(str(row[5]))) if row[5])
        # SQLite makes an index for every primary key that is not the rowid itself.
        alias = bool(primary_key) and not without_rowid and not any(index.origin == "pk" for index in indexes)
        return Table(
            name=name,
            kind=_KINDS[kind],
            columns=tuple(self._column(name, kind, strict, row, definition) for row in rows if row[6] != 1),
            primary_key=primary_key,
            rowid_alias=primary_key[0] if alias and kind == "table" else None,
            autoincrement=definition.autoincrement or any(column.autoincrement for column in definition.columns),
            without_rowid=without_rowid,
            strict=strict,
            checks=tuple(Check(check.expression, check.name) for check in definition.all_checks),
            foreign_keys=tuple(self._foreign_keys(name, definition)) if kind == "table" else (),
            indexes=indexes,
            sql=sql,
            conflicts=tuple(_conflicts(definition)),
        )

    def _columns(self, table: str) -> list[tuple[object, ...]]:
        """Not asked of a virtual table: that would run its module, which may be missing, or write."""
        return self._connection.execute(f"PRAGMA main.table_xinfo({quote_identifier(table)})").fetchall()

    def _definition(self, name: str, sql: str) -> TableDefinition:
        try:
            definition = read_table(sql)
        except DefinitionError as error:
            self._findings.append(
                Finding(
                    "definition-unreadable",
                    Severity.WARNING,
                    name,
                    f"The CREATE TABLE statement could not be read ({error}): CHECK constraints, collations and "
                    "deferrable keys of this table are not carried.",
                )
            )
            return _EMPTY
        names = [str(row[1]) for row in self._columns(name)]
        if [fold(column.name) for column in definition.columns] != [fold(column) for column in names]:
            self._findings.append(
                Finding(
                    "definition-differs",
                    Severity.WARNING,
                    name,
                    "The columns in the CREATE TABLE statement are not those that SQLite reports; SQLite's are used, "
                    "and CHECK constraints of this table are not carried.",
                )
            )
            return _EMPTY
        return definition

    def _column(
        self, table: str, kind: str, strict: bool, row: tuple[object, ...], definition: TableDefinition
    ) -> Column:
        name, declared, not_null, default, hidden = str(row[1]), str(row[2]), bool(row[3]), row[4], row[6]
        defined = next((column for column in definition.columns if same_name(column.name, name)), None)
        collation = "BINARY"
        if kind == "table":
            collation = self._connection.column_metadata("main", table, name)[1]
        generated = _GENERATED.get(int(str(hidden)), Generated.NOT)
        declared_type = declared.upper().removesuffix("GENERATED ALWAYS").strip() if generated else declared
        return Column(
            name=name,
            declared_type=declared_type,
            # In a STRICT table ANY keeps every value as it is; elsewhere it is a word like any other.
            affinity=Affinity.BLOB if strict and declared_type.upper() == "ANY" else affinity(declared_type),
            not_null=not_null,
            default=None if default is None else str(default),
            collation=collation.upper() if collation.upper() in {"BINARY", "NOCASE", "RTRIM"} else collation,
            generated=generated,
            expression=defined.generated if defined else None,
        )

    def _indexes(self, table: str, definition: TableDefinition) -> list[Index]:
        rows: list[Any] = self._connection.execute(f"PRAGMA main.index_list({quote_identifier(table)})").fetchall()
        rows.sort(key=lambda row: row[0], reverse=True)  # SQLite numbers them from the last created to the first
        return [self._index(table, definition, *row[1:5]) for row in rows]

    def _index(
        self, table: str, definition: TableDefinition, name: str, unique: int, origin: str, partial: int
    ) -> Index:
        sql = self._sql.get(("index", name))
        written = None
        if sql:
            try:
                written = read_index(sql)
            except DefinitionError as error:
                self._findings.append(
                    Finding("definition-unreadable", Severity.WARNING, f"{table}.{name}", f"CREATE INDEX: {error}.")
                )
        columns = []
        rows: list[Any] = self._connection.execute(f"PRAGMA main.index_xinfo({quote_identifier(name)})").fetchall()
        for number, (_, cid, column, descending, collation, key) in enumerate(rows):
            if key:
                expression = written.columns[number].expression if written and cid == -2 else None
                columns.append(
                    IndexColumn("rowid" if cid == -1 else column, expression, bool(descending), collation.upper())
                )
        return Index(
            name=name,
            table=table,
            unique=bool(unique),
            origin=origin,
            columns=tuple(columns),
            where=(written.where if written else "") if partial else None,
            conflict=_conflict(definition, columns) if origin == "u" else None,
            sql=sql,
        )

    def _foreign_keys(self, table: str, definition: TableDefinition) -> list[ForeignKey]:
        groups: dict[int, list[tuple[object, ...]]] = {}
        for row in self._connection.execute(f"PRAGMA main.foreign_key_list({quote_identifier(table)})"):
            groups.setdefault(row[0], []).append(row)
        # SQLite numbers foreign keys from the last written to the first.
        return [self._foreign_key(groups[number], definition) for number in sorted(groups, reverse=True)]

    def _foreign_key(self, rows: list[tuple[object, ...]], definition: TableDefinition) -> ForeignKey:
        rows = sorted(rows, key=lambda row: int(str(row[1])))
        columns = tuple(str(row[3]) for row in rows)
        parent = str(rows[0][2])
        named = [str(row[4]) for row in rows if row[4] is not None]
        defined = [key for column in definition.columns for key in column.references] + [*definition.foreign_keys]
        written = next(
            (
                key
                for key in defined
                if same_name(key.parent, parent) and [fold(c) for c in key.columns] == [fold(c) for c in columns]
            ),
            None,
        )
        return ForeignKey(
            columns=columns,
            parent=parent,
            parent_columns=tuple(named),
            on_update=str(rows[0][5]),
            on_delete=str(rows[0][6]),
            deferrable=bool(written and written.deferrable),
            initially_deferred=bool(written and written.initially_deferred),
            name=written.name if written else None,
        )

    def _view(self, name: str) -> View:
        try:
            rows = self._connection.execute(f"PRAGMA main.table_info({quote_identifier(name)})").fetchall()
        except apsw.SQLError as error:
            rows = []
            self._findings.append(
                Finding("view-broken", Severity.WARNING, name, f"SQLite itself cannot read this view: {error}.")
            )
        return View(name, tuple(str(row[1]) for row in rows), self._sql.get(("view", name)) or "")

    def _triggers(self) -> list[Trigger]:
        """In the order in which they were made, which says in which order they fire."""
        rows = self._connection.execute(
            "SELECT name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
        )
        return [Trigger(*row) for row in rows]


def _conflicts(definition: TableDefinition) -> Iterator[Conflict]:
    for column in definition.columns:
        for resolution in (column.primary_key_conflict, column.not_null_conflict):
            if resolution:
                yield Conflict((column.name,), resolution)
    key = definition.primary_key
    if key and key.conflict:
        yield Conflict(tuple(column.name or "" for column in key.columns), key.conflict)


def _conflict(definition: TableDefinition, columns: list[IndexColumn]) -> str | None:
    names = [fold(column.name or "") for column in columns]
    for unique in definition.unique:
        if [fold(column.name or "") for column in unique.columns] == names:
            return unique.conflict
    if len(names) == 1:
        return next((column.unique_conflict for column in definition.columns if fold(column.name) == names[0]), None)
    return None


def _resolve_parents(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """Give every foreign key its parent columns: an omitted list means the parent's primary key."""
    keys = {fold(table.name): table.primary_key for table in tables}

    def resolved(key: ForeignKey) -> ForeignKey:
        return key if key.parent_columns else replace(key, parent_columns=keys.get(fold(key.parent), ()))

    return tuple(replace(table, foreign_keys=tuple(map(resolved, table.foreign_keys))) for table in tables)
