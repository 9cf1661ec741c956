"""A planned table as the translator of expressions sees it."""

from __future__ import annotations

from dataclasses import replace

from migrator.core.model import Affinity, Index, Table, fold
from migrator.core.names import target_name
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan, TablePlan
from migrator.core.sql.scope import ColumnScope, Kind, PartialKey, TableScope
from migrator.core.sql.times import has_offset

KINDS = {
    "smallint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "double precision": Kind.REAL,
    "numeric": Kind.NUMERIC,
    "text": Kind.TEXT,
    "varchar": Kind.TEXT,
    "char": Kind.TEXT,
    "bytea": Kind.BLOB,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "json": Kind.JSON,
    "jsonb": Kind.JSONB,
    "uuid": Kind.UUID,
    "text[]": Kind.TEXT_ARRAY,
}
# Of a column without rows: as SQLite itself spells the current time.
_PICTURES = {Kind.DATE: "YYYY-MM-DD", Kind.TIME: "HH:MM:SS", Kind.UUID: "hyphens"}
_PICTURES |= dict.fromkeys((Kind.TIMESTAMP, Kind.TIMESTAMPTZ), "YYYY-MM-DD HH:MM:SS")
_EXACT = ("bigint", "double precision", "text", "varchar")


def table_scope(table: Table | None, plan: TablePlan) -> TableScope:
    """Columns by their folded source names, and the key where it tells every row from every other."""
    columns = {}
    for column in plan.carried:
        source = (
            next((item for item in table.columns if fold(item.name) == fold(column.source)), None) if table else None
        )
        columns[fold(column.source)] = ColumnScope(
            target=column.target,
            kind=KINDS[column.type.name],
            collation=source.collation if source else "BINARY",
            affinity=column.affinity,
            nullable=not column.not_null,
            uniform=column.options.holds is None and column.options.unit is None,
            source=column.source,
            exact=column.type.name in _EXACT,
            bytewise=column.collation == "C",
            picture=_picture(column),
            spelling=column.options.format or _PICTURES.get(KINDS[column.type.name]),
            zone=column.options.zone,
            scale=scale_of(column.type),
            label=f"{table.name if table else plan.source}.{column.source}",
        )
    key = tuple(fold(name) for name in (table.primary_key if table else plan.key))
    unique = _unique_keys(table, key) if table else (key,) if key else ()
    return TableScope(
        plan.target,
        columns,
        () if plan.nullable_key else key,
        unique,
        table is None or len(unique) == sum(index.unique for index in table.indexes) + bool(table.rowid_alias),
        _rowid(table, plan, columns),
        as_it_is=not plan.rowid,
        spelt=_spelt(table, plan),
        partial=_partial_keys(table, plan) if table else (),
    )


def _picture(column: ColumnPlan) -> str | None:
    """None for points in time of numbers, and of texts in a zone whose clocks are changed."""
    found = column.options.format or _PICTURES.get(KINDS[column.type.name])
    if column.options.unit or (column.options.zone not in (None, "UTC") and not has_offset(found)):
        return None
    return found


def scale_of(of: PgType) -> int | None:
    """How many digits behind the point PostgreSQL keeps; None where it keeps all."""
    return (*of.arguments, 0)[1] if of.name == "numeric" and of.arguments else None


def _spelt(table: Table | None, plan: TablePlan) -> dict[str, str]:
    names = {plan.target: table.name if table else plan.source}
    names |= {target_name(index.name): index.name for index in table.indexes if index.origin == "c"} if table else {}
    return {target: source for target, source in names.items() if target != source}


def _unique_keys(table: Table, primary_key: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Those that are a list of columns, each compared as it is, over all rows."""
    keys = (_plain_key(index) for index in table.indexes if index.unique and index.where is None)
    return (*([primary_key] if table.rowid_alias else []), *filter(None, keys))


def _partial_keys(table: Table, plan: TablePlan) -> tuple[PartialKey, ...]:
    """Those that are such a list, over some rows."""
    dropped = {fold(name) for name in plan.drop_indexes}
    indexes = [index for index in table.indexes if index.unique and index.where and fold(index.name) not in dropped]
    return tuple(PartialKey(key, index.where or "") for index in indexes if (key := _plain_key(index)))


def _plain_key(index: Index) -> tuple[str, ...]:
    """The index's columns, if it has nothing else and compares each as it is."""
    if any(part.name is None or part.collation.upper() != "BINARY" for part in index.columns):
        return ()
    return tuple(fold(part.name or "") for part in index.columns)


def _rowid(table: Table | None, plan: TablePlan, columns: dict[str, ColumnScope]) -> ColumnScope | None:
    if plan.rowid:
        found = ColumnScope(plan.rowid, Kind.INTEGER, affinity=Affinity.INTEGER, nullable=False)
        return replace(found, source="rowid", exact=True)
    return columns.get(fold(table.rowid_alias)) if table and table.rowid_alias else None
