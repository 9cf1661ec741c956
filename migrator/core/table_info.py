"""PRAGMA table_info(x) → a query over PostgreSQL's catalog, for programs that ask whether a column is there.

Which columns there are, and in which order, the catalog says; what SQLite says of each is written into the query.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrator.core.model import Generated, Schema, Table, fold
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.sql.cursor import Cursor, DefinitionError
from migrator.core.sql.placeholders import Driver, Placeholders, render
from migrator.core.sql.rewriting import Rewritten, declined
from migrator.core.sql.scope import TableScope
from migrator.core.sql.split import SourceStatement

_QUERY = """\
SELECT row_number() OVER (ORDER BY attnum) - 1 AS cid, COALESCE(known.name, attname::text) AS name, \
COALESCE(known.type, upper(format_type(atttypid, atttypmod))) AS type, \
COALESCE(known."notnull", attnotnull::integer) AS "notnull", known.dflt_value, COALESCE(known.pk, 0) AS pk \
FROM pg_attribute LEFT JOIN (VALUES {known}) AS known (target, name, type, "notnull", dflt_value, pk) \
ON known.target = attname \
WHERE attrelid = to_regclass({table}) AND attnum > 0 AND NOT attisdropped{without} ORDER BY attnum"""


def asked_table(statement: SourceStatement) -> str | None:
    """The table that PRAGMA table_info asks for."""
    try:
        cursor = Cursor(statement.text)
        cursor.expect_word("PRAGMA")
        cursor.expect_word("TABLE_INFO")
        if cursor.accept_operator("="):
            name = cursor.name()
        else:
            [name] = cursor.in_list(cursor.name)
        cursor.expect_end()
    except (DefinitionError, ValueError):
        return None
    return name


def table_info(
    statement: SourceStatement, name: str, schema: Schema, scope: TableScope | None, driver: Driver, place: str
) -> Rewritten:
    table = next((table for table in schema.tables if fold(table.name) == fold(name)), None)
    if table is None or scope is None:
        reason = f"Which columns {name} has in SQLite is not known: name the database with --db."
        return declined(statement, place, "pragma", f"{reason} information_schema.columns tells what PostgreSQL has.")
    known = ", ".join(f"({', '.join(row)})" for row in _rows(table, scope))
    hidden = [*_generated(table, scope), *_added(scope)]
    without = f" AND attname NOT IN ({', '.join(map(quote_literal, hidden))})" if hidden else ""
    query = _QUERY.format(known=known, table=quote_literal(quote_identifier(scope.target)), without=without)
    rendered = render(query, Placeholders((), {}), driver)
    return Rewritten(statement, rendered.sql, rendered)


def _rows(table: Table, scope: TableScope) -> Iterator[tuple[str, ...]]:
    key = [fold(name) for name in table.primary_key]
    for column in table.columns:
        carried = scope.columns.get(fold(column.name))
        if carried is None or column.generated is not Generated.NOT:
            continue
        default = "NULL" if column.default is None else quote_literal(column.default)
        place = key.index(fold(column.name)) + 1 if fold(column.name) in key else 0
        texts = map(quote_literal, (carried.target, column.name, column.declared_type))
        yield (*texts, str(int(column.not_null)), f"{default}::text", str(place))


def _generated(table: Table, scope: TableScope) -> Iterator[str]:
    """PRAGMA table_info leaves them out."""
    for column in table.columns:
        carried = scope.columns.get(fold(column.name))
        if carried is not None and column.generated is not Generated.NOT:
            yield carried.target


def _added(scope: TableScope) -> Iterator[str]:
    """The column that carries the rowid where SQLite has none for it."""
    if scope.rowid is not None and scope.rowid not in scope.columns.values():
        yield scope.rowid.target
