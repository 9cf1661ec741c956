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

# What changes a table or an index leaves another version of its row in pg_class.
_MARK = """
SELECT coalesce(md5(string_agg(c.oid || '.' || c.xmin, ',' ORDER BY c.oid)), '')
FROM pg_class c WHERE c.relnamespace = %s::regnamespace"""


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


def schema_mark(connection: psycopg.Connection, schema: str) -> str:
    """Another text once a table, an index or a view was made, changed or dropped."""
    row = connection.execute(_MARK, (sql.Identifier(schema).as_string(connection),)).fetchone()
    assert row is not None
    return str(row[0])
