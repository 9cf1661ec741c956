"""Window functions: both engines have the same ones, with the same frames where none is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from migrator.core.sql import values as v
from migrator.core.sql.aggregates import aggregate, is_aggregate
from migrator.core.sql.choices import unified
from migrator.core.sql.comparing import group_key, sort_key
from migrator.core.sql.query import direction, require_args
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.terms import called
from migrator.core.sql.values import Value

_RANKS: dict[type[exp.Expr], tuple[str, Kind]] = {
    exp.RowNumber: ("row_number", Kind.INTEGER),
    exp.Rank: ("rank", Kind.INTEGER),
    exp.DenseRank: ("dense_rank", Kind.INTEGER),
    exp.PercentRank: ("percent_rank", Kind.REAL),
    exp.CumeDist: ("cume_dist", Kind.REAL),
}
_NEIGHBOURS: dict[type[exp.Expr], str] = {
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
    exp.LastValue: "last_value",
    exp.NthValue: "nth_value",
}
_BOUNDS = {"UNBOUNDED", "CURRENT ROW"}


class Emits(Protocol):
    def value(self, node: exp.Expr) -> Value: ...

    def operand(self, node: exp.Expr) -> Value: ...


def over_window(emitter: Emits, node: exp.Window) -> Value:
    """Raises Untranslatable."""
    require_args(node, "this", "partition_by", "order", "spec", "over")
    if node.args.get("over") != "OVER":
        raise Untranslatable("a named window")
    parts = [_partition(emitter, node.args.get("partition_by") or []), _order(emitter, node.args.get("order"))]
    over = f" OVER ({' '.join(filter(None, [*parts, _frame(node.args.get('spec'))]))})"
    inner = node.this
    if type(inner) in _RANKS:
        require_args(inner)
        name, kind = _RANKS[type(inner)]
        return Value(f"{name}(){over}", kind, nullable=False)
    if isinstance(inner, exp.Ntile):
        require_args(inner, "this")
        return Value(f"ntile({_positive(emitter, inner, inner.this)}){over}::bigint", Kind.INTEGER, exact=True)
    if type(inner) in _NEIGHBOURS:
        return _neighbour(emitter, inner, over)
    if is_aggregate(inner):
        return aggregate(emitter.value, inner, over)
    raise Untranslatable(f"{called(inner)} over a window")


def _partition(emitter: Emits, nodes: Sequence[exp.Expr]) -> str:
    keys = [group_key(v.settled(emitter.value(node))) for node in nodes]
    return f"PARTITION BY {', '.join(keys)}" if keys else ""


def _order(emitter: Emits, node: exp.Order | None) -> str:
    if node is None:
        return ""
    require_args(node, "expressions")
    values = [v.settled(emitter.value(term.this)) for term in node.expressions]
    keys = [sort_key(value) + direction(term, value) for term, value in zip(node.expressions, values, strict=True)]
    return f"ORDER BY {', '.join(keys)}"


def _frame(spec: exp.WindowSpec | None) -> str:
    if spec is None:
        return ""
    require_args(spec, "kind", "start", "start_side", "end", "end_side", "exclude")
    kind, exclude = spec.args["kind"], spec.args.get("exclude")
    if kind == "RANGE" and any(isinstance(spec.args.get(side), exp.Literal) for side in ("start", "end")):
        raise Untranslatable("a frame of RANGE with a distance")
    start = _bound(spec.args.get("start"), spec.args.get("start_side"))
    end = _bound(spec.args.get("end") or "CURRENT ROW", spec.args.get("end_side"))
    return f"{kind} BETWEEN {start} AND {end}{f' EXCLUDE {exclude.name.upper()}' if exclude else ''}"


def _bound(bound: object, side: str | None) -> str:
    if isinstance(bound, exp.Literal) and bound.this.isdigit():
        return f"{bound.this} {side}"
    if isinstance(bound, str) and bound in _BOUNDS:
        return f"{bound} {side}" if side else bound
    raise Untranslatable("a frame that begins or ends at an expression")


def _positive(emitter: Emits, node: exp.Expr, counted: exp.Expr, least: int = 1) -> str:
    """A number of rows or groups."""
    number = emitter.operand(counted).literal
    if not isinstance(number, int) or not least <= number < 2**31:
        raise Untranslatable(f"{called(node)} by other than a literal number of rows")
    return str(number)


def _neighbour(emitter: Emits, node: exp.Expr, over: str) -> Value:
    require_args(node, "this", "offset", "default")
    value = v.require(v.settled(emitter.value(node.this)))
    arguments = [value.sql]
    offset, default = node.args.get("offset"), node.args.get("default")
    if offset is not None:
        arguments.append(_positive(emitter, node, offset, least=int(isinstance(node, exp.NthValue))))
    if default is not None:
        (first, second), value = unified([value, emitter.operand(default)])
        arguments = [first, arguments[1], second]
    plain = replace(value, column=False, literal=None, nullable=True, parameter=None, json=value.perhaps_json)
    return replace(plain, sql=f"{_NEIGHBOURS[type(node)]}({', '.join(arguments)}){over}")
