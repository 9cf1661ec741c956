"""GROUP BY, and the proof that every column outside an aggregate has one value in its group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql import values as v
from migrator.core.sql.aggregates import is_aggregate
from migrator.core.sql.comparing import group_key, sort_key
from migrator.core.sql.expressions import Emitter
from migrator.core.sql.query import order_terms, output_name, output_place, require_args
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.terms import called

if TYPE_CHECKING:
    from migrator.core.sql.views import Select


def has_aggregate(node: exp.Expr) -> bool:
    stack = [node]
    while stack:
        inner = stack.pop()
        if isinstance(inner, exp.Query | exp.Window):
            continue
        if is_aggregate(inner):
            return True
        stack += inner.iter_expressions()
    return False


class Grouping:
    """Of one SELECT."""

    def __init__(self, select: Select) -> None:
        self.select = select
        self.keys: list[str] = []
        self.written: dict[str, str] = {}  # keys that stand for a result
        self.columns: set[tuple[str, str]] = set()  # grouped columns: alias and key, folded

    def clause(self) -> str:
        """Columns that a grouped primary key determines are grouped too, so that no constraint need exist for it."""
        for term in self._terms():
            node = self._meant(term)
            if self._add(node) and node is not term:
                self._remember(term, node)
        determined = {alias for alias in self.select.source.tables if self._is_determined(alias)}
        terms = [term for term in order_terms(self.select.node) if not self._is_in_order_of_groups(term.this)]
        outside = [*self.select.node.expressions, *terms]
        having = self.select.node.args.get("having")
        for node in [*outside, *([having.this] if having else [])]:
            self._require_single(node, determined)
        return f" GROUP BY {', '.join(self.written.get(key, key) for key in self.keys)}" if self.keys else ""

    def _terms(self) -> list[exp.Expr]:
        group = self.select.node.args.get("group")
        if group is None:
            return []
        require_args(group, "expressions")
        return list(group.expressions)

    def _remember(self, term: exp.Expr, node: exp.Expr) -> None:
        """PostgreSQL takes a column's name for the column, and another one for a result's."""
        outputs = self.select.outputs
        results = self.select.node.expressions
        if self.select.around.notes is None or len(outputs) != len(results):
            return
        place = next(place for place, result in enumerate(results) if result.unalias() is node)
        if outputs[place].name not in self.select.source.names or not isinstance(term, exp.Column):
            self.written[self.keys[-1]] = output_name(term, place, outputs)

    def _meant(self, node: exp.Expr) -> exp.Expr:
        """A number stands for a result; so does a name that is no column."""
        if isinstance(node, exp.Column) and self.select.source.find(node.table or None, node.name):
            return node
        results = self.select.node.expressions
        place = output_place(node, [fold(result.alias_or_name) for result in results])
        return node if place is None else results[place].unalias()

    def _add(self, node: exp.Expr) -> bool:
        """Whether it has one value in its group: under NOCASE only its key has."""
        value = v.settled(self.select.plain.value(node))
        key = group_key(value)
        if value.literal is not None or value.kind is Kind.NULL:
            raise Untranslatable("GROUP BY a constant")
        self._add_key(key)
        if key == value.sql and isinstance(node, exp.Column):
            place = self.select.source.find(node.table or None, node.name)
            self.columns |= {place} if place else set()
        return key == value.sql

    def _add_key(self, key: str) -> None:
        if key not in self.keys:
            self.keys.append(key)

    def _is_in_order_of_groups(self, node: exp.Expr) -> bool:
        """Whether a column of several spellings is sorted by the key that they share."""
        if not isinstance(node, exp.Column) or not self.select.source.find(node.table or None, node.name):
            return False
        value = self.select.plain.value(node)
        return value.collation not in (None, "BINARY") and sort_key(value) in self.keys

    def _is_determined(self, alias: str) -> bool:
        key = self.select.source.tables[alias][1].primary_key
        return bool(key) and all((alias, fold(column)) in self.columns for column in key)

    def _require_single(self, node: exp.Expr, determined: set[str]) -> None:
        if is_aggregate(node) or isinstance(node, exp.Placeholder):
            return
        if isinstance(node, exp.Query | exp.Star):
            raise Untranslatable(f"{called(node)} beside GROUP BY or an aggregate")
        if isinstance(node, exp.Column):
            self._require_single_column(node, determined)
        elif not self._is_grouped(node):
            for child in node.iter_expressions():
                self._require_single(child, determined)

    def _is_grouped(self, node: exp.Expr) -> bool:
        if type(node) not in Emitter.handlers or isinstance(node.parent, exp.Case | exp.Cast) or has_aggregate(node):
            return False
        return v.settled(self.select.plain.value(node)).sql in self.keys

    def _require_single_column(self, node: exp.Column, determined: set[str]) -> None:
        place = self.select.source.find(node.table or None, node.name)
        if place is None or place in self.columns:
            return
        if place[0] not in determined:
            shown = node.sql(dialect="sqlite")
            if self.select.plain.value(node).collation not in (None, "BINARY"):
                shown += " (one of several spellings of its group)"
            raise Untranslatable(
                f"loose GROUP BY: {shown} differs within a group, and SQLite takes it from some row of it (beside one"
                f" max() or min() from that row): SELECT DISTINCT ON … ORDER BY says from which"
            )
        value = v.require(self.select.plain.value(node))
        if self.select.around.notes is None:  # A view must not depend on a constraint.
            self._add_key(v.require_groupable(value).sql)
