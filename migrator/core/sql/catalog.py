"""sqlite_schema as a table of a query: PostgreSQL's tables, views and indexes, by the names that SQLite has for them.

SQLite's own objects (sqlite_sequence, sqlite_autoindex_…) are not in PostgreSQL, so a query has to pass over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from migrator.core.model import Affinity, fold
from migrator.core.names import quote_literal
from migrator.core.sql.query import Surroundings
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable

NAMES = ("sqlite_master", "sqlite_schema")
_INSTEAD = "pg_tables, pg_indexes and information_schema.columns say it; to_regclass(name) is NULL for no table"
_VISIBLE = "schemaname = ANY (current_schemas(FALSE))"
_OF_A_KEY = "SELECT 1 FROM pg_constraint WHERE conname = indexname AND connamespace = schemaname::regnamespace"
# Type → the names of an object and of its table, and where they are listed.
_LISTS = {
    "table": ("tablename", "tablename", f"pg_tables WHERE {_VISIBLE}"),
    "view": ("viewname", "viewname", f"pg_views WHERE {_VISIBLE}"),
    "index": ("indexname", "tablename", f"pg_indexes WHERE {_VISIBLE} AND NOT EXISTS ({_OF_A_KEY})"),
}
_COLUMNS = ("type", "name", "tbl_name")
_NAME = ColumnScope("", Kind.TEXT, "BINARY", Affinity.TEXT, nullable=False, exact=True, bytewise=True)
_TAKEN_OUT = re.compile(r"sqlite(_|\\_)?[%*]", re.IGNORECASE)
_NOTE = (
    "PostgreSQL's catalog has the tables, views and indexes of the search path, also others than the application's;"
    " triggers are not among them"
)


def catalog_table(query: exp.Expr, name: str, around: Surroundings) -> tuple[str, TableScope]:
    """What stands in the FROM clause of this query for sqlite_schema. Raises Untranslatable."""
    if not around.tables:
        raise _declined(name, "how the tables are spelt is not known: name the database with --db")
    _require_columns(query, name)
    types = _types(query)
    if unknown := types.difference(_LISTS):
        raise _declined(name, f"the type {min(unknown)!r}")
    if types != {"view"} and not any(map(_passes_over_sqlites_own, _conditions(query))):
        raise _declined(name, "a query that does not pass over SQLite's own: name NOT LIKE 'sqlite_%' would")
    around.note("catalog", _NOTE)
    used = {fold(node.name) for node in query.find_all(exp.Column)}
    columns = [column for column in _COLUMNS if column in used] or [_COLUMNS[0]]
    parts = " UNION ALL ".join(_list(kind, columns, around) for kind in sorted(types))
    return f"({parts})", TableScope(fold(name), {column: replace(_NAME, target=column) for column in columns})


def _declined(name: str, why: str) -> Untranslatable:
    return Untranslatable(f"{name}: {why}; {_INSTEAD}", "catalog")


def _require_columns(query: exp.Expr, name: str) -> None:
    """The statement that made an object and its root page are SQLite's; in quotes they would be taken for texts."""
    for node in query.find_all(exp.Star, exp.Column):
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            raise _declined(name, "*, and with it the column sql")
        if isinstance(node, exp.Column) and fold(node.name) in ("sql", "rootpage", "rowid"):
            raise _declined(name, f"the column {node.name}")


def _conditions(query: exp.Expr) -> Iterator[exp.Expr]:
    """What has to be true of every row."""
    where = query.args.get("where")
    stack = [where.this] if where else []
    while stack:
        node = stack.pop().unnest()
        if isinstance(node, exp.And):
            stack += [node.this, node.expression]
        else:
            yield node


def _types(query: exp.Expr) -> set[str]:
    for node in _conditions(query):
        if isinstance(node, exp.EQ | exp.In | exp.Is) and _is_column(node.this, "type"):
            values = node.expressions if isinstance(node, exp.In) else [node.expression]
            if values and all(isinstance(value, exp.Literal) and value.is_string for value in values):
                return {str(value.this) for value in values}
    return set(_LISTS)


def _passes_over_sqlites_own(node: exp.Expr) -> bool:
    if isinstance(node, exp.EQ) and _is_name(node.this):
        return not _begins_with_sqlite(node.expression)
    if isinstance(node, exp.EQ) and _is_name(node.expression):
        return not _begins_with_sqlite(node.this)
    if isinstance(node, exp.In) and _is_name(node.this):
        return bool(node.expressions) and not any(map(_begins_with_sqlite, node.expressions))
    return _takes_them_out(node)


def _takes_them_out(node: exp.Expr) -> bool:
    """name NOT LIKE 'sqlite_%', also with ESCAPE, as NOT GLOB, or with NOT before it."""
    inner = node.this.unnest() if isinstance(node, exp.Not) else node
    like = inner.this if isinstance(inner, exp.Escape) else inner
    if not isinstance(like, exp.Like | exp.Glob) or not _is_name(like.this):
        return False
    negated = isinstance(node, exp.Not) != bool(like.args.get("negate"))
    pattern = like.expression
    return negated and isinstance(pattern, exp.Literal) and _TAKEN_OUT.fullmatch(pattern.this) is not None


def _begins_with_sqlite(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and str(node.this).lower().startswith("sqlite")


def _is_name(node: exp.Expr) -> bool:
    return _is_column(node, "name")


def _is_column(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Column) and fold(node.name) == name


def _list(kind: str, columns: Sequence[str], around: Surroundings) -> str:
    name, table, source = _LISTS[kind]
    relations = {scope.target for scope in around.tables.values()}
    spelt = {target: source for scope in around.tables.values() for target, source in scope.spelt.items()}
    own = {target: source for target, source in spelt.items() if target in relations}
    indexes = {target: source for target, source in spelt.items() if target not in relations}
    written = {
        "type": f"'{kind}'::text",
        "name": _as_spelt(name, indexes if kind == "index" else own),
        "tbl_name": _as_spelt(table, own),
    }
    return f"SELECT {', '.join(f'{written[column]} AS {column}' for column in columns)} FROM {source}"


def _as_spelt(column: str, spelt: Mapping[str, str]) -> str:
    whens = " ".join(f"WHEN {quote_literal(old)} THEN {quote_literal(new)}" for old, new in sorted(spelt.items()))
    name = f"(CASE {column} {whens} ELSE {column} END)" if spelt else column
    return f'{name}::text COLLATE "C"'
