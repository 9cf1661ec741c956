"""Queries that give several rows in an order which nothing says: SQLite's is that of its tables as long as it likes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql.aggregates import is_aggregate
from migrator.core.sql.query import Surroundings

_ROWID = {"rowid", "_rowid_", "oid"}


def is_unordered(tree: exp.Expr, around: Surroundings) -> bool:
    if isinstance(tree, exp.Subquery):
        return is_unordered(tree.this, around)
    if tree.args.get("order"):
        return False
    if isinstance(tree, exp.SetOperation):
        return True
    if not isinstance(tree, exp.Select) or not tree.args.get("from_"):
        return False
    if all(isinstance(item.unalias(), exp.Literal) for item in tree.expressions):
        return False
    if not tree.args.get("group") and any(map(_aggregates, tree.expressions)):
        return False
    return not _finds_by_key(tree, around)


def _aggregates(node: exp.Expr) -> bool:
    return any(is_aggregate(inner) and not isinstance(inner.parent, exp.Window) for inner in node.walk())


def _finds_by_key(tree: exp.Select, around: Surroundings) -> bool:
    """Whether a key of its only table is asked for: one row at most."""
    table = tree.args["from_"].this
    where = tree.args.get("where")
    if tree.args.get("joins") or where is None or not isinstance(table, exp.Table):
        return False
    scope = around.tables.get(fold(table.name))
    given = {fold(name) for name in _equal(where.this)}
    if scope is None:
        return False
    if scope.rowid is not None and not given.isdisjoint(_ROWID - scope.columns.keys()):
        return True
    return any(key and given.issuperset(key) for key in scope.unique)


def _equal(node: exp.Expr) -> Iterator[str]:
    """The columns that have to equal something."""
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from (*_equal(node.this), *_equal(node.expression))
    elif isinstance(node, exp.EQ):
        yield from (side.name for side in (node.this, node.expression) if isinstance(side, exp.Column))
