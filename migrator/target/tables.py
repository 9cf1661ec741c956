"""Any tables of a schema as the catalog describes them, held still for as long as one transaction reads them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import psycopg
from psycopg import sql

from migrator.core.pg_tables import PgColumn, PgIndex, PgObject, PgReference, PgSchema, PgTable
from migrator.target.connection import set_search_path

# Row security is off so that PostgreSQL refuses to read where it would leave rows out. The other settings are those by
# which values become text.
_SETTINGS = {
    "row_security": "off",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "IntervalStyle": "iso_8601",
}

_TABLES = """
SELECT c.relname, c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)
FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname"""

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       (WITH RECURSIVE chain AS (
            SELECT t.oid, t.typbasetype, 0 AS depth FROM pg_type t WHERE t.oid = a.atttypid
            UNION ALL SELECT t.oid, t.typbasetype, depth + 1 FROM chain JOIN pg_type t ON t.oid = chain.typbasetype)
        SELECT format_type(oid, NULL) FROM chain ORDER BY depth DESC LIMIT 1),
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid, true), a.attgenerated <> '',
       a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false)
           AND pg_get_serial_sequence(quote_ident(%s) || '.' || quote_ident(c.relname), a.attname) IS NOT NULL
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum"""

# to_jsonb(): a column of the catalog that older versions do not have.
_INDEXES = """
SELECT c.relname, i.relname, x.indisunique, coalesce(k.contype::text, ''),
       ARRAY(SELECT a.attname::text FROM generate_series(0, x.indnkeyatts - 1) n
             JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[n] ORDER BY n),
       ARRAY(SELECT (x.indoption[n] & 1) = 1 FROM generate_series(0, x.indnkeyatts - 1) n ORDER BY n),
       m.amname = 'btree' AND x.indpred IS NULL AND x.indexprs IS NULL AND x.indisvalid,
       coalesce(to_jsonb(x) ->> 'indnullsnotdistinct', 'false') = 'false',
       pg_get_indexdef(x.indexrelid, 0, true)
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_am m ON m.oid = i.relam
LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE c.relnamespace = %s::regnamespace AND NOT c.relispartition ORDER BY c.relname, i.relname"""

_ACTIONS = "CASE {} WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'"
_ACTIONS += " WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END"

_REFERENCES = f"""
SELECT c.relname, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       p.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
       {_ACTIONS.format("k.confupdtype")}, {_ACTIONS.format("k.confdeltype")}, k.condeferrable, k.condeferred,
       p.relnamespace = c.relnamespace AND NOT p.relispartition AND k.confmatchtype = 's'
           AND coalesce(to_jsonb(k) ->> 'confdelsetcols', '') = '',
       pg_get_constraintdef(k.oid, true)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
WHERE c.relnamespace = %s::regnamespace AND NOT c.relispartition AND k.contype = 'f' AND k.conparentid = 0
ORDER BY c.relname, k.conname"""

_OTHERS = """
SELECT kind, place, definition FROM (
    SELECT 'check', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid, true)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype IN ('c', 'x') AND c.relnamespace = %(schema)s::regnamespace AND NOT c.relispartition
    UNION ALL
    SELECT 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid, true)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = %(schema)s::regnamespace AND NOT c.relispartition
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, c.relname,
           CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true) ELSE '' END
    FROM pg_class c WHERE c.relkind IN ('v', 'm', 'f') AND c.relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'rule', c.relname || '.' || r.rulename, pg_get_ruledef(r.oid, true)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'domain', t.typname, concat_ws(' ', format_type(t.typbasetype, t.typtypmod), (
        SELECT string_agg(pg_get_constraintdef(k.oid, true), ' ') FROM pg_constraint k WHERE k.contypid = t.oid))
    FROM pg_type t WHERE t.typtype = 'd' AND t.typnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'sequence', s.relname, 'a sequence of no column' FROM pg_class s
    WHERE s.relkind = 'S' AND s.relnamespace = %(schema)s::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = s.oid AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'function', p.proname, pg_get_function_identity_arguments(p.oid) FROM pg_proc p
    WHERE p.pronamespace = %(schema)s::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
) AS found(kind, place, definition) ORDER BY kind, place"""


def hold_still(connection: psycopg.Connection, schema: str, names: Collection[str] | None = None) -> None:
    """Begin the transaction in which these tables, or all of the schema, stay what they are, whoever changes them.

    The locks come before the snapshot: a table that is emptied or made anew in between would look empty.
    """
    name = sql.Identifier(schema).as_string(connection)
    _settle(connection)
    tables = [table for table, _ in connection.execute(_TABLES, (name,)) if names is None or table in names]
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    for table in tables:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.Identifier(schema, table)))


def share_snapshot(connection: psycopg.Connection) -> str:
    """The name under which other connections join this one's transaction, for as long as it lasts."""
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return str(row[0])


def join_snapshot(connection: psycopg.Connection, snapshot: str) -> None:
    """See what another connection sees."""
    _settle(connection)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))


def _settle(connection: psycopg.Connection) -> None:
    for setting, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (setting, value))


def read_schema(connection: psycopg.Connection, schema: str) -> PgSchema:
    """Every table of the schema, and what else is in it. Leaves the connection's search_path at that schema."""
    set_search_path(connection, schema)
    name = sql.Identifier(schema).as_string(connection)
    columns: dict[str, list[PgColumn]] = {}
    for table, *rest in connection.execute(_COLUMNS, (schema, name)):
        columns.setdefault(table, []).append(PgColumn(*rest))
    indexes: dict[str, list[PgIndex]] = {}
    for table, index, unique, origin, parts, down, *rest in connection.execute(_INDEXES, (name,)):
        indexes.setdefault(table, []).append(PgIndex(index, unique, origin, tuple(parts), tuple(down), *rest))
    references: dict[str, list[PgReference]] = {}
    for table, key, ours, parent, theirs, *rest in connection.execute(_REFERENCES, (name,)):
        references.setdefault(table, []).append(PgReference(key, tuple(ours), parent, tuple(theirs), *rest))
    tables = tuple(
        PgTable(
            table,
            tuple(columns.get(table, ())),
            tuple(indexes.get(table, ())),
            tuple(references.get(table, ())),
            only,
        )
        for table, only in connection.execute(_TABLES, (name,)).fetchall()
    )
    others = connection.execute(_OTHERS, {"schema": name}).fetchall()
    return PgSchema(schema, tables, tuple(PgObject(*row) for row in others))


def with_negative_zeros(connection: psycopg.Connection, schema: str, table: PgTable) -> PgTable:
    """The table, with a mark at the columns that hold a -0.0."""
    reals = [column.name for column in table.columns if column.base in ("real", "double precision")]
    if not reals:
        return table
    found = sql.SQL(", ").join(
        sql.SQL("coalesce(bool_or({0} = 0 AND {0}::text LIKE '-%'), false)").format(sql.Identifier(name))
        for name in reals
    )
    only = sql.SQL("ONLY " if table.only else "")
    query = sql.SQL("SELECT {} FROM {}{}").format(found, only, sql.Identifier(schema, table.name))
    row = connection.execute(query).fetchone()
    assert row is not None
    negative = {name for name, is_there in zip(reals, row, strict=True) if is_there}
    columns = tuple(replace(column, negative_zeros=column.name in negative) for column in table.columns)
    return replace(table, columns=columns)


def largest_row_bytes(connection: psycopg.Connection, schema: str, table: str, columns: list[sql.Composable]) -> int:
    """An upper bound of the bytes of one row's long values; looked for only where some are stored out of line."""
    row = connection.execute(
        "SELECT coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0) FROM pg_class WHERE oid = %s::regclass",
        (sql.Identifier(schema, table).as_string(connection),),
    ).fetchone()
    if not columns or not row or (row[0] < 1024 * 1024 and not _is_partitioned(connection, schema, table)):
        return 0
    total = sql.SQL(" + ").join(sql.SQL("coalesce(octet_length({}), 0)::bigint").format(column) for column in columns)
    found = connection.execute(
        sql.SQL("SELECT max({}) FROM {}").format(total, sql.Identifier(schema, table))
    ).fetchone()
    return int(found[0] or 0) if found else 0


def _is_partitioned(connection: psycopg.Connection, schema: str, table: str) -> bool:
    row = connection.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass",
        (sql.Identifier(schema, table).as_string(connection),),
    ).fetchone()
    return bool(row and row[0])
