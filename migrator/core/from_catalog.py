"""Any tables of PostgreSQL → a SQLite schema, and the way of every value into it.

Declared types are chosen for what SQLite makes of values: numeric is text, because a column called NUMERIC would turn
it into a double; json is text, because a column called JSON would turn '5' into an integer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from migrator.core.findings import Finding, Severity
from migrator.core.model import Affinity, affinity, fold
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.original import INDEX, TABLE, Definition, Original
from migrator.core.pg_tables import PgColumn, PgIndex, PgObject, PgReference, PgTable
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan
from migrator.core.way_back import ColumnBack, TableBack

_INTEGERS = {"smallint", "integer", "bigint"}
_AS_TEXT = {
    "numeric", "date", "timestamp without time zone", "timestamp with time zone", "time without time zone",
    "time with time zone", "interval", "uuid", "json", "jsonb",
}  # fmt: skip
_TO_TEXT = "{}::text"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_STRING = re.compile(r"'((?:[^']|'')*)'(?:::(?:text|character varying|bpchar|character)(?:\(\d+\))?)?")


@dataclass
class Names:
    """Names of one namespace of SQLite, where A and a are the same."""

    taken: set[str] = field(default_factory=set)

    def take(self, wanted: str) -> str:
        name, number = f"_{wanted}" if fold(wanted).startswith("sqlite_") else wanted, 1
        base = name
        while fold(name) in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(fold(name))
        return name


@dataclass(frozen=True)
class Draft:
    """Definitions in the order of their making."""

    definitions: tuple[Definition, ...]
    tables: tuple[TableBack, ...]
    findings: tuple[Finding, ...]


def draft(schema: str, tables: Iterable[PgTable], others: Iterable[PgObject] = (), names: Names | None = None) -> Draft:
    """`names` are those that are taken in the file already."""
    return _Drafter(schema, tuple(tables), names or Names()).draft(others)


def made(drafted: Draft) -> Original:
    return Original(drafted.definitions)


def declared(column: PgColumn) -> str:
    """The type to write in CREATE TABLE; SQLite keeps every value that column_of() carries into it."""
    if column.base in _INTEGERS:
        return column.base.upper()
    if column.base in ("real", "double precision"):
        return "" if column.negative_zeros else column.base.upper()
    if column.base == "boolean":
        return "BOOLEAN"
    if column.base == "bytea":
        return "BLOB"
    sized = re.fullmatch(r"character(?P<varying> varying)?(?P<size>\(\d+\))", column.type)
    if sized:
        return ("VARCHAR" if sized["varying"] else "CHAR") + sized["size"]
    return "TEXT"


def column_of(column: PgColumn, name: str) -> ColumnBack:
    """How the column's values get into a column of that name and of its declared type."""
    kept = affinity(declared(column))
    if column.base in _INTEGERS:
        return ColumnBack(column.name, name, column.base, kept)
    if column.base in ("real", "double precision"):
        return ColumnBack(column.name, name, "double precision", kept)
    if column.base == "boolean":
        return ColumnBack(column.name, name, "boolean", kept, plan=ColumnPlan(name, column.name, PgType("boolean")))
    if column.base == "bytea":
        return ColumnBack(column.name, name, "bytea", kept)
    if column.base in ("text", "character varying", "character"):
        return ColumnBack(column.name, name, "text", kept)
    return ColumnBack(column.name, name, "text", Affinity.TEXT, _TO_TEXT)


@dataclass
class _Drafter:
    schema: str
    tables: tuple[PgTable, ...]
    names: Names
    columns: dict[tuple[str, str], str] = field(default_factory=dict)  # PostgreSQL's table and column → the file's
    named: dict[str, str] = field(default_factory=dict)  # PostgreSQL's table → the file's
    findings: list[Finding] = field(default_factory=list)

    def draft(self, others: Iterable[PgObject]) -> Draft:
        for table in self.tables:
            self._name(table)
        definitions = [self._table(table) for table in self.tables]
        definitions += [index for table in self.tables for index in self._indexes(table)]
        for item in others:
            message = f"The {item.kind} is not carried."
            self._say(item.kind.replace(" ", "-"), item.where, message, item.definition)
        backs = tuple(self._back(table) for table in self.tables)
        return Draft(tuple(definitions), backs, tuple(self.findings))

    def _say(
        self, rule: str, where: str, message: str, original: str = "", severity: Severity = Severity.WARNING
    ) -> None:
        self.findings.append(Finding(rule, severity, where, message, "", original))

    def _name(self, table: PgTable) -> None:
        self.named[table.name] = self.names.take(table.name)
        if self.named[table.name] != table.name:
            self._say(
                "renamed", table.name, f"The table is {self.named[table.name]} in SQLite, where the name is taken."
            )
        inside = Names()
        for column in table.columns:
            name = inside.take(column.name)
            self.columns[table.name, column.name] = name
            if name != column.name:
                self._say("renamed", f"{table.name}.{column.name}", f"The column is {name} in SQLite.")

    def _table(self, table: PgTable) -> Definition:
        name = self.named[table.name]
        parts = [self._column(table, column) for column in table.columns]
        key = table.primary_key
        if key and not _rowid_alias(table):
            parts.append(f"PRIMARY KEY ({self._listed(table, key)})")
        parts += [f"UNIQUE ({self._listed(table, index.columns)})" for index in table.indexes if index.origin == "u"]
        parts += [text for reference in table.references if (text := self._reference(table, reference))]
        for index in table.indexes:
            if index.unique and not index.nulls_distinct:
                message = "SQLite takes several NULLs for different, PostgreSQL does not here."
                self._say("nulls-not-distinct", index.name, message, index.definition)
        if not parts:
            parts = [quote_identifier("_") + " INTEGER"]
            self._say("no-columns", table.name, "SQLite has no table without columns: one called _ is added, all NULL.")
        sql = f"CREATE TABLE {quote_identifier(name)} (\n    " + ",\n    ".join(parts) + "\n)"
        return Definition(TABLE, name, name, sql)

    def _column(self, table: PgTable, column: PgColumn) -> str:
        where = f"{table.name}.{column.name}"
        words = [quote_identifier(self.columns[table.name, column.name])]
        if _rowid_alias(table) == column.name:
            words.append("INTEGER PRIMARY KEY" + (" AUTOINCREMENT" if column.sequence else ""))
            return " ".join(words)
        words += [kind] if (kind := declared(column)) else []
        if column.not_null:
            words.append("NOT NULL")
        default = _default(column)
        if default is not None:
            words.append(f"DEFAULT {default}")
        elif column.default and not column.sequence:
            rule, what = ("generated", "Its values are carried, its expression is not.")
            if not column.generated:
                rule, what = ("default", "The default is not carried.")
            self._say(rule, where, what, column.default)
        elif column.sequence:
            self._say("sequence", where, "SQLite gives out numbers for a single integer key only: its sequence stays.")
        self._explain(where, column)
        return " ".join(words)

    def _explain(self, where: str, column: PgColumn) -> None:
        if column.negative_zeros:
            message = "It holds a -0.0, of which a column called REAL makes 0.0; so it has no declared type."
            self._say("negative-zero", where, message, "", Severity.NOTE)
        elif column.base == "numeric":
            message = "numeric is text in SQLite, which keeps every digit; sort and compare with CAST."
            self._say("numeric-as-text", where, message, "", Severity.NOTE)
        elif declared(column) == "TEXT" and column.base not in _AS_TEXT | {"text", "character varying", "character"}:
            message = f"{column.type} is text in SQLite, as PostgreSQL writes it."
            self._say("as-text", where, message, "", Severity.NOTE)

    def _reference(self, table: PgTable, reference: PgReference) -> str | None:
        parent = next((item for item in self.tables if item.name == reference.parent), None)
        if parent is None or not reference.plain:
            self._say("foreign-key", f"{table.name}.{reference.name}", "Not carried.", reference.definition)
            return None
        words = [
            f"FOREIGN KEY ({self._listed(table, reference.columns)})",
            f"REFERENCES {quote_identifier(self.named[parent.name])}",
            f"({self._listed(parent, reference.parent_columns)})",
        ]
        for event, action in (("UPDATE", reference.on_update), ("DELETE", reference.on_delete)):
            words += [f"ON {event} {action}"] if action != "NO ACTION" else []
        if reference.deferrable:
            words.append("DEFERRABLE INITIALLY " + ("DEFERRED" if reference.deferred else "IMMEDIATE"))
        return " ".join(words)

    def _listed(self, table: PgTable, columns: Sequence[str]) -> str:
        return ", ".join(quote_identifier(self.columns[table.name, name]) for name in columns)

    def _indexes(self, table: PgTable) -> list[Definition]:
        definitions = []
        for index in table.indexes:
            if index.origin:
                continue
            if not index.plain:
                self._say(
                    "index", index.name, "Not carried: not a B-tree over whole columns and all rows.", index.definition
                )
                continue
            definitions.append(self._index(table, index))
        return definitions

    def _index(self, table: PgTable, index: PgIndex) -> Definition:
        name, on = self.names.take(index.name), self.named[table.name]
        columns = ", ".join(
            self._listed(table, [column]) + (" DESC" if down else "")
            for column, down in zip(index.columns, index.descending, strict=True)
        )
        unique = "UNIQUE " if index.unique else ""
        sql = f"CREATE {unique}INDEX {quote_identifier(name)} ON {quote_identifier(on)} ({columns})"
        return Definition(INDEX, name, on, sql, index.unique)

    def _back(self, table: PgTable) -> TableBack:
        alias = _rowid_alias(table)
        key = alias and table.column(alias)
        return TableBack(
            schema=self.schema,
            target=table.name,
            name=self.named[table.name],
            columns=tuple(self._way(table, column, alias) for column in table.columns),
            key=tuple(self.columns[table.name, name] for name in table.primary_key),
            sequence=alias if key and key.sequence else None,
            only=table.only,
        )

    def _way(self, table: PgTable, column: PgColumn, alias: str | None) -> ColumnBack:
        return column_of(column, self.columns[table.name, column.name])


def _rowid_alias(table: PgTable) -> str | None:
    """The column that becomes the rowid itself."""
    key = table.primary_key
    column = table.column(key[0]) if len(key) == 1 else None
    return column.name if column and column.base in _INTEGERS else None


def _default(column: PgColumn) -> str | None:
    """A constant that means the same in SQLite; None where there is none or it is not one."""
    text = column.default
    if text is None or column.generated:
        return None
    if column.base == "boolean":
        return {"true": "1", "false": "0"}.get(text)
    if column.base in (*_INTEGERS, "real", "double precision") and _NUMBER.fullmatch(text):
        return text
    if column.base == "numeric" and _NUMBER.fullmatch(text):
        return quote_literal(text)
    if column.base in ("text", "character varying", "character") and (match := _STRING.fullmatch(text)):
        return f"'{match[1]}'"
    return None
