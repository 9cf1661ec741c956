"""What PostgreSQL's catalog says about tables: read to verify, to find what is in the way, to build the same again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from migrator.target.connection import set_search_path


@dataclass(frozen=True)
class ColumnShape:
    name: str
    type: str
    collation: str | None
    not_null: bool
    default: str | None
    identity: bool
    generated: bool


@dataclass(frozen=True)
class Shape:
    """One table as PostgreSQL describes it; every definition is unqualified. `invalid` names what is not in force."""

    name: str
    columns: tuple[ColumnShape, ...]
    constraints: tuple[tuple[str, str], ...]
    indexes: tuple[tuple[str, str], ...]
    invalid: tuple[str, ...] = ()

    def parts(self) -> dict[str, str]:
        """Everything that can be compared one by one: what it is called → how it is defined."""
        parts = {f"column {column.name}": _column(column) for column in self.columns}
        parts |= {f"constraint {name}": definition for name, definition in self.constraints}
        parts |= {f"index {name}": definition for name, definition in self.indexes}
        return parts | {f"{name} in force": "no" for name in self.invalid}


def _column(column: ColumnShape) -> str:
    words = [column.type]
    if column.collation:
        words.append(f'COLLATE "{column.collation}"')
    if column.not_null:
        words.append("NOT NULL")
    if column.identity:
        words.append("IDENTITY")
    if column.default:
        words.append(("GENERATED " if column.generated else "DEFAULT ") + column.default)
    return " ".join(words)


_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), o.collname, a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid, true), a.attidentity <> '', a.attgenerated <> ''
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation o ON o.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum"""

# contype n: PostgreSQL 18 lists NOT NULL as a constraint too; attnotnull tells it on every version.
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid, true), k.convalidated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'u', 'f', 'c') ORDER BY c.relname, k.conname"""

_INDEXES = """
SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid, 0, true), x.indisvalid AND x.indisready
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relnamespace = %s::regnamespace ORDER BY c.relname, i.relname"""


def read_shapes(connection: psycopg.Connection, schema: str) -> dict[str, Shape]:
    """Every table of the schema by name. Leaves the connection's search_path at that schema."""
    set_search_path(connection, schema)
    name = sql.Identifier(schema).as_string(connection)
    columns: dict[str, list[ColumnShape]] = {}
    for table, *rest in connection.execute(_COLUMNS, (name,)):
        columns.setdefault(table, []).append(ColumnShape(*rest))
    constraints, indexes = connection.execute(_CONSTRAINTS, (name,)).fetchall(), []
    indexes = connection.execute(_INDEXES, (name,)).fetchall()
    return {
        table: Shape(
            table,
            tuple(shapes),
            tuple((row[1], row[2]) for row in constraints if row[0] == table),
            tuple((row[1], row[2]) for row in indexes if row[0] == table),
            tuple(row[1] for row in (*constraints, *indexes) if row[0] == table and not row[3]),
        )
        for table, shapes in columns.items()
    }


def relations(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """Name → kind of everything that has a name in the schema; empty where there is no such schema."""
    rows = connection.execute(
        """SELECT c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
                  WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' ELSE 'relation' END
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'S', 'f')""",
        (schema,),
    )
    return dict(rows.fetchall())


def sequence_positions(connection: psycopg.Connection, schema: str, columns: Sequence[tuple[str, str]]) -> list[int]:
    """The value that each identity column's sequence will give next."""
    positions = []
    for table, column in columns:
        (name,) = connection.execute(
            "SELECT pg_get_serial_sequence(%s, %s)",
            (sql.Identifier(schema, table).as_string(connection), column),
        ).fetchone() or (None,)
        if name is None:
            positions.append(0)
            continue
        schema_name, sequence = connection.execute("SELECT parse_ident(%s)", (name,)).fetchone()[0]  # type: ignore[index]
        query = sql.SQL("SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM {}")
        row = connection.execute(query.format(sql.Identifier(schema_name, sequence))).fetchone()
        positions.append(int(row[0]) if row else 0)
    return positions
