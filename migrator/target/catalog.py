"""What PostgreSQL's catalog says about tables: read to verify, to find what is in the way, to build the same again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from migrator.core.shapes import ColumnShape, Grant, ReferenceShape, Shape
from migrator.target.connection import set_search_path

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), o.collname, a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid, true), a.attidentity <> '', a.attgenerated <> '',
       (SELECT min(s.relname) FROM pg_depend o JOIN pg_class s ON s.oid = o.objid AND s.relkind = 'S'
        WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND o.refobjid = c.oid
          AND o.refobjsubid = a.attnum AND o.deptype IN ('a', 'i'))
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation o ON o.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum"""

# contype n: PostgreSQL 18 lists NOT NULL as a constraint too; attnotnull tells it on every version.
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid, true), k.convalidated, k.contype = 'f', p.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class p ON p.oid = k.confrelid
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'u', 'f', 'c') ORDER BY c.relname, k.conname"""

_INDEXES = """
SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid, 0, true), x.indisvalid AND x.indisready
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relnamespace = %s::regnamespace ORDER BY c.relname, i.relname"""


_TABLES = """
SELECT c.relname, pg_get_userbyid(c.relowner), coalesce(c.reloptions, '{}')
FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')"""

# What the owner may do himself goes with the ownership.
_GRANTS = """
WITH tables AS (SELECT * FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')),
granted AS (
    SELECT t.relname AS belongs, 'TABLE' AS kind, t.relname AS name, NULL::name AS part, t.relowner AS owner, x.*
    FROM tables t, aclexplode(t.relacl) x
    UNION ALL
    SELECT t.relname, 'TABLE', t.relname, a.attname, t.relowner, x.*
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid, aclexplode(a.attacl) x
    UNION ALL
    SELECT t.relname, 'SEQUENCE', s.relname, NULL, t.relowner, x.*
    FROM tables t JOIN pg_depend o ON o.refobjid = t.oid AND o.refclassid = 'pg_class'::regclass
        AND o.classid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
    JOIN pg_class s ON s.oid = o.objid AND s.relkind = 'S', aclexplode(s.relacl) x
)
SELECT belongs, kind, name, part, privilege_type,
       CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, is_grantable
FROM granted WHERE grantee <> owner ORDER BY belongs, kind, name, part NULLS FIRST, grantee, privilege_type"""


def read_shapes(connection: psycopg.Connection, schema: str) -> dict[str, Shape]:
    """Every table of the schema by name. Leaves the connection's search_path at that schema."""
    set_search_path(connection, schema)
    name = sql.Identifier(schema).as_string(connection)
    columns: dict[str, list[ColumnShape]] = {}
    for table, *rest in connection.execute(_COLUMNS, (name,)):
        columns.setdefault(table, []).append(ColumnShape(*rest))
    constraints = connection.execute(_CONSTRAINTS, (name,)).fetchall()
    indexes = connection.execute(_INDEXES, (name,)).fetchall()
    grants = connection.execute(_GRANTS, (name,)).fetchall()
    return {
        table: Shape(
            table,
            tuple(columns.get(table, ())),
            tuple((row[1], row[2]) for row in constraints if row[0] == table),
            tuple((row[1], row[2]) for row in indexes if row[0] == table),
            tuple(row[1] for row in (*constraints, *indexes) if row[0] == table and not row[3]),
            tuple(
                ReferenceShape(row[1], tuple(row[6]), row[5], tuple(row[7]))
                for row in constraints
                if row[0] == table and row[4]
            ),
            tuple(storage),
            owner,
            tuple(Grant(*row[1:]) for row in grants if row[0] == table),
        )
        for table, owner, storage in connection.execute(_TABLES, (name,)).fetchall()
    }


def peculiarities(connection: psycopg.Connection, schema: str, tables: Iterable[str]) -> list[str]:
    """What these tables have that a Shape does not hold, so that building them again would lose it; in words."""
    rows = connection.execute(
        """SELECT 'trigger ' || t.tgname || ' on ' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           WHERE NOT t.tgisinternal AND c.relnamespace = %(schema)s::regnamespace AND c.relname = ANY(%(tables)s)
           UNION ALL
           SELECT 'rule ' || r.rulename || ' on ' || c.relname FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
           WHERE c.relnamespace = %(schema)s::regnamespace AND c.relname = ANY(%(tables)s)
           UNION ALL
           SELECT 'row security on ' || c.relname FROM pg_class c
           WHERE c.relrowsecurity AND c.relnamespace = %(schema)s::regnamespace AND c.relname = ANY(%(tables)s)
           UNION ALL
           SELECT 'partitions or heirs of ' || c.relname FROM pg_class c
           WHERE (c.relkind = 'p' OR c.relispartition OR c.relhassubclass
                  OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid))
             AND c.relnamespace = %(schema)s::regnamespace AND c.relname = ANY(%(tables)s)
           ORDER BY 1""",
        {"schema": sql.Identifier(schema).as_string(connection), "tables": list(tables)},
    )
    return [text for (text,) in rows]


def filled_tables(connection: psycopg.Connection, schema: str, tables: Iterable[str]) -> list[str]:
    """Those of the tables that hold at least one row."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})")
    return [name for name in tables if _answer(connection.execute(query.format(sql.Identifier(schema, name))))]


def _answer(cursor: psycopg.Cursor[tuple[object, ...]]) -> object:
    row = cursor.fetchone()
    return row[0] if row else None


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


def constraints(connection: psycopg.Connection, schema: str) -> dict[tuple[str, str], str]:
    """(table, constraint) → PostgreSQL's letter for its kind: p, u, f, c."""
    rows = connection.execute(
        """SELECT c.relname, k.conname, k.contype::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND k.contype IN ('p', 'u', 'f', 'c')""",
        (schema,),
    )
    return {(table, name): kind for table, name, kind in rows}


def types(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """Name → kind of the schema's own types, which share their names with tables and views; arrays give way."""
    rows = connection.execute(
        """SELECT t.typname, CASE t.typtype WHEN 'c' THEN 'composite type' WHEN 'e' THEN 'enum type'
                  WHEN 'd' THEN 'domain' ELSE 'type' END
           FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
           WHERE n.nspname = %s AND (c.oid IS NULL OR c.relkind = 'c')
             AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)""",
        (schema,),
    )
    return dict(rows.fetchall())


def belongings(connection: psycopg.Connection, schema: str, tables: Iterable[str]) -> set[str]:
    """The indexes and sequences that go when these tables and views are dropped."""
    rows = connection.execute(
        """SELECT o.relname FROM pg_depend d JOIN pg_class o ON o.oid = d.objid AND o.relkind = 'S'
               JOIN pg_class c ON c.oid = d.refobjid
           WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
             AND c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)
           UNION
           SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
               JOIN pg_class c ON c.oid = x.indrelid
           WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)""",
        {"schema": sql.Identifier(schema).as_string(connection), "tables": list(tables)},
    )
    return {name for (name,) in rows}


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
