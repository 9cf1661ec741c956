"""The comments on a schema's tables, views and columns, and a mark by which a changed schema is recognised."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import sql

_COMMENTS = """
SELECT c.relname, c.relkind IN ('v', 'm'), obj_description(c.oid, 'pg_class')
FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relname"""

_COLUMN_COMMENTS = """
SELECT c.relname, a.attname, d.description
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')"""

_TRIGGER_COMMENTS = """
SELECT obj_description(t.oid, 'pg_trigger') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = %s::regnamespace AND NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NOT NULL
ORDER BY t.oid"""

# What changes a table, an index or a trigger leaves another version of its row in the catalog.
_MARK = """
SELECT coalesce(md5(string_agg(c.oid || '.' || c.version, ',' ORDER BY c.oid, c.version)), '') FROM (
    SELECT oid, xmin::text FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT t.oid, t.xmin::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
) AS c(oid, version)"""


@dataclass
class Commented:
    """A table or a view; `columns` are comments by the columns' names."""

    is_view: bool
    comment: str | None
    columns: dict[str, str] = field(default_factory=dict)


def read_comments(connection: psycopg.Connection, schema: str) -> dict[str, Commented]:
    """By the name of the table or view."""
    name = sql.Identifier(schema).as_string(connection)
    found = {table: Commented(*rest) for table, *rest in connection.execute(_COMMENTS, (name,))}
    for table, column, comment in connection.execute(_COLUMN_COMMENTS, (name,)):
        found[table].columns[column] = comment
    return found


def read_trigger_comments(connection: psycopg.Connection, schema: str) -> tuple[str, ...]:
    """In the order in which the triggers were made."""
    name = sql.Identifier(schema).as_string(connection)
    return tuple(comment for (comment,) in connection.execute(_TRIGGER_COMMENTS, (name,)))


def schema_mark(connection: psycopg.Connection, schema: str) -> str:
    """Another text once a table, an index, a view or a trigger was made, changed or dropped."""
    row = connection.execute(_MARK, {"schema": sql.Identifier(schema).as_string(connection)}).fetchone()
    assert row is not None
    return str(row[0])
