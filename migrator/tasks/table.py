"""A table as workers see it."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from psycopg import sql

from migrator.core.convert import Options
from migrator.core.model import Affinity, Schema, Table, fold
from migrator.core.names import quote_identifier
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan, Plan, TablePlan
from migrator.core.values import Value, hexed
from migrator.core.work import Cell
from migrator.source.rows import Relation, Row

_ORDERED_TYPES = {"smallint", "integer", "bigint", "text", "varchar", "bytea"}


@dataclass(frozen=True)
class WorkTable:
    """`columns` are read from the source and written to the target; `computed` are compared only.

    `order` names the source columns by whose values both sides can be read in the same order; empty where there are
    none, and then rows are compared as a multiset of their hashes. `primary` is the target's primary key in the
    source's names, where it has one; `key` names the columns that tell a person which row.
    """

    relation: Relation
    columns: tuple[ColumnPlan, ...]
    computed: tuple[ColumnPlan, ...]
    required: frozenset[str]
    key: tuple[str, ...]
    order: tuple[str, ...]
    primary: tuple[str, ...]
    encoding: str
    target: str
    schema: str

    @property
    def name(self) -> str:
        return self.relation.name

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(
            Cell(column, column.conversion(), fold(column.source) in self.required)
            for column in (*self.columns, *self.computed)
        )

    def __getstate__(self) -> dict[str, object]:
        """Conversions are functions and cannot be pickled; every process makes its own."""
        return {name: value for name, value in self.__dict__.items() if name != "cells"}

    @property
    def copied(self) -> tuple[Cell, ...]:
        return self.cells[: len(self.columns)]

    @property
    def splits_by_rowid(self) -> bool:
        """Whether ranges of the rowid are ranges of the order too, so that both sides can be read in parts."""
        return (
            len(self.order) == 1
            and self.relation.rowid is not None
            and fold(_unquoted(self.relation.rowid)) == fold(self.order[0])
        )

    @property
    def rowid_target(self) -> str | None:
        """The target's column that holds the rowid as a number; None where there is none."""
        if not self.splits_by_rowid:
            return None
        [column] = [column for column in self.columns if fold(column.source) == fold(self.order[0])]
        return column.target if column.type.name in ("smallint", "integer", "bigint") else None

    @property
    def reading(self) -> Relation:
        """The relation with every column that verification compares."""
        return replace(self.relation, columns=tuple(column.source for column in (*self.columns, *self.computed)))

    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.target)

    def key_of(self, row: Row, rowid: int | None) -> dict[str, object]:
        """The key for people: column → value (bytes and text as they are, long ones in hexadecimal)."""
        named = {
            column.source: _shown(value)
            for column, value in zip(self.columns, row, strict=False)
            if column.source in self.key
        }
        return named or ({"rowid": rowid} if rowid is not None else {})

    def identity_of(self, row: Row, rowid: int | None) -> tuple[object, ...]:
        """How verification recognises the row again: its primary key, else its rowid, else a digest of its values."""
        if self.primary:
            return ("key", *[row[number] for number in self.numbers(self.primary)])
        return ("rowid", rowid) if rowid is not None else row_identity(row)

    def numbers(self, names: tuple[str, ...]) -> list[int]:
        """Where these source columns stand in a row."""
        known = [fold(column.source) for column in self.columns]
        return [known.index(fold(name)) for name in names]


def row_identity(row: Sequence[object]) -> tuple[object, ...]:
    """The identity of a row that has neither key nor rowid."""
    return ("row", hashlib.blake2b(marshal.dumps([hexed(value) for value in row], 2), digest_size=16).hexdigest())


def _shown(value: Value) -> object:
    if value is None or isinstance(value, (int, float)):
        return value
    return value if isinstance(value, str) and len(value) <= 200 and "\0" not in value else "x" + hexed(value)[:200]


def rowid_name(table: Table) -> str | None:
    """A name under which the rowid can be read: a column of the same name would hide it."""
    if table.without_rowid:
        return None
    if table.rowid_alias:
        return table.rowid_alias
    taken = {fold(column.name) for column in table.columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def _unquoted(rowid: str) -> str:
    """The column's own name; only an alias of the rowid is quoted."""
    return rowid[1:-1].replace('""', '"') if rowid.startswith('"') else rowid


def relation_of(table: Table, columns: tuple[str, ...] | None = None) -> Relation:
    """The whole table, or some of its columns."""
    rowid = rowid_name(table)
    return Relation(
        name=table.name,
        columns=columns if columns is not None else tuple(column.name for column in table.columns),
        rowid=quote_identifier(rowid) if rowid and rowid == table.rowid_alias else rowid,
        order=table.primary_key,
    )


def work_table(
    plan: Plan,
    table_plan: TablePlan,
    table: Table | None,
    generated: frozenset[tuple[str, str]],
    schema: str,
    encoding: str,
) -> WorkTable:
    """What the workers need of one carried table."""
    columns = [column for column in table_plan.carried if (table_plan.source, column.source) not in generated]
    computed = [column for column in table_plan.carried if (table_plan.source, column.source) in generated]
    if table is None:
        relation = Relation(table_plan.source, tuple(c.source for c in columns), query=table_plan.query)
        key = table_plan.key
    else:
        relation = relation_of(table, tuple(column.source for column in columns))
        key = table.primary_key
        if table_plan.rowid and relation.rowid:
            columns.append(_rowid_column(relation.rowid, table_plan.rowid))
            relation = replace(relation, columns=tuple(column.source for column in columns))
    primary = () if table_plan.nullable_key else key
    not_null = {fold(column.source) for column in table_plan.carried if column.not_null or column.identity}
    key = tuple(column.source for column in columns if fold(column.source) in {fold(name) for name in key})
    order = _order(table_plan, table, tuple(columns), primary, encoding)
    return WorkTable(
        relation=replace(relation, order=order),
        columns=tuple(columns),
        computed=tuple(computed),
        required=frozenset(not_null | ({fold(name) for name in primary} if not table_plan.rowid else set())),
        key=key,
        order=order,
        primary=(columns[-1].source,) if table_plan.rowid else tuple(c for c in key if primary),
        encoding={"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}[encoding],
        target=table_plan.target,
        schema=schema,
    )


def work_tables(plan: Plan, source: Schema, generated: frozenset[tuple[str, str]], schema: str) -> list[WorkTable]:
    """Every carried table, as it is found in that schema of the target."""
    return [
        work_table(plan, table, None if table.query else source.table(table.source), generated, schema, source.encoding)
        for table in plan.carried
    ]


def _rowid_column(name: str, target: str) -> ColumnPlan:
    return ColumnPlan(
        _unquoted(name), target, PgType("bigint"), Options(), identity=True, not_null=True, affinity=Affinity.INTEGER
    )


def _order(
    table_plan: TablePlan, table: Table | None, columns: tuple[ColumnPlan, ...], key: tuple[str, ...], encoding: str
) -> tuple[str, ...]:
    """The carried rowid, or the primary key if every part of it sorts alike on both sides."""
    if table_plan.rowid and table is not None:
        return (columns[-1].source,)
    by_name = {fold(column.source): column for column in columns}
    parts = [by_name.get(fold(name)) for name in key]
    if not parts or not all(part and _sorts_alike(part, table, encoding) for part in parts):
        return ()
    return tuple(part.source for part in parts if part)


def _sorts_alike(column: ColumnPlan, table: Table | None, encoding: str) -> bool:
    """BINARY compares the bytes of the database's encoding, and only UTF-8's sort as in PostgreSQL."""
    if column.type.name not in _ORDERED_TYPES or column.options != Options():
        return False
    binary = table is None or table.column(column.source).collation == "BINARY"
    return not column.type.is_text or (binary and encoding == "UTF-8")
