"""Expressions in queries, which may have more than those in the definition of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql import values as v
from migrator.core.sql.aggregates import aggregate, is_aggregate
from migrator.core.sql.expressions import Emitter
from migrator.core.sql.query import other_args, require_args
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.terms import called
from migrator.core.sql.values import Value
from migrator.core.sql.windows import over_window

if TYPE_CHECKING:
    from migrator.core.sql.views import Select


class QueryEmitter(Emitter):
    """Expressions of a query: with aggregates where its clause may have them, and with round()."""

    def __init__(self, select: Select, *, aggregates: bool) -> None:
        super().__init__(select, select, select.around.parameters)
        self.select = select
        self.aggregates = aggregates

    def use_clock(self, what: str) -> None:
        if self.select.around.notes is None:
            super().use_clock(what)

    def use_pack(self, what: str) -> None:
        self.use_clock(what)
        self.select.around.note("compat", "needs the function pack: migrator rewrite functions")

    def warn(self, rule: str, text: str) -> None:
        self.select.around.note(rule, text)

    def value(self, node: exp.Expr) -> Value:
        if isinstance(node, exp.Window):
            if self.aggregates:
                raise Untranslatable("a window function beside GROUP BY or an aggregate")
            self.select.around.note("order", "a window function: which of equal rows comes first is not said")
            return over_window(self.select.plain, self._window(node))
        if is_aggregate(node):
            if not self.aggregates:
                raise Untranslatable(f"{called(node)} in this place")
            self._note_of_aggregate(node.this if isinstance(node, exp.Filter) else node)
            return aggregate(self.select.plain.value, node)
        if isinstance(node, exp.Round):
            return self._round(node)
        return super().value(node)

    def _window(self, node: exp.Window) -> exp.Window:
        """With what WINDOW says of it where it has a name."""
        name = node.args.get("alias")
        for window in self.select.node.args.get("windows") or []:
            if name and fold(window.name) == fold(name.name) and not other_args(node, "this", "alias", "over"):
                found: exp.Window = window.copy()
                found.set("this", node.this)
                found.set("over", "OVER")
                return found
        return node

    def _note_of_aggregate(self, node: exp.Expr) -> None:
        if isinstance(node, exp.JSONArrayAgg | exp.JSONObjectAgg):
            self.use_pack("json_group_array()")
        if isinstance(node, exp.GroupConcat | exp.JSONArrayAgg | exp.JSONObjectAgg) and not node.find(exp.Order):
            self.select.around.note("order", f"{_called(node)}(): which value comes first is not said")

    def _round(self, node: exp.Round) -> Value:
        require_args(node, "this", "decimals")
        value, digits = v.number(self.operand(node.this)), node.args.get("decimals")
        places = self.value(digits).literal if digits else 0
        if self.select.around.notes is not None:
            return self._round_in_a_statement(value, digits)
        if not isinstance(places, int) or not 0 <= places <= 15:
            raise Untranslatable("round() to other than 0 to 15 places")
        return Value(f"round({value.sql}::text::numeric, {places})::float8", Kind.REAL, finite=value.finite)

    def _round_in_a_statement(self, value: Value, digits: exp.Expr | None) -> Value:
        places = v.number(v.typed(self.operand(digits), Kind.INTEGER)) if digits else v.integer(0)
        if places.kind is not Kind.INTEGER:
            raise Untranslatable("round() to a REAL number of places")
        self.use_pack("round()")
        if places.literal != 0:
            self.select.around.note("round", "round() differs in 1 of 50,000 results that are nearly halfway")
        return Value(f"sqlite.round({value.sql}::float8, {places.sql})", Kind.REAL, finite=value.finite)


def _called(node: exp.Expr) -> str:
    names: dict[type[exp.Expr], str] = {exp.JSONArrayAgg: "json_group_array", exp.JSONObjectAgg: "json_group_object"}
    return names.get(type(node), "group_concat")
