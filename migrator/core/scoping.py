"""A planned table as the translator of expressions sees it."""

from __future__ import annotations

from migrator.core.model import Table, fold
from migrator.core.plan import TablePlan
from migrator.core.sql.scope import ColumnScope, Kind, TableScope

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
        )
    key = tuple(fold(name) for name in (table.primary_key if table else plan.key))
    return TableScope(plan.target, columns, () if plan.nullable_key else key)
