"""The aggregate functions on the allow-list: sum(bigint) and avg() are numeric in PostgreSQL, so they are cast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from migrator.core.sql import json_calls
from migrator.core.sql import values as v
from migrator.core.sql.comparing import group_key, sort_key
from migrator.core.sql.query import direction, order_clause, require_args
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.terms import called
from migrator.core.sql.times import spelt
from migrator.core.sql.values import Value

_OVER = " OVER "
Operand = Callable[[exp.Expr], Value]


def is_aggregate(node: exp.Expr) -> bool:
    """The aggregates that are translated, and those that are not."""
    if isinstance(node, exp.Filter):
        return is_aggregate(node.this)
    return isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name.lower() == "total")


def aggregate(operand: Operand, node: exp.Expr, over: str = "") -> Value:
    """Of a group, or with OVER of a window. Raises Untranslatable."""
    if isinstance(node, exp.Filter):
        return aggregate(operand, node.this, f" FILTER (WHERE {v.truth(operand(node.expression.this))}){over}")
    if isinstance(node, exp.Anonymous):
        return _total(operand, node, over)
    emit = _AGGREGATES.get(type(node))
    known = {"expressions"} if isinstance(node, exp.JSONObjectAgg) else {"this", "big_int", "separator"}
    if emit is None or {key for key, value in node.args.items() if value} - known:
        raise Untranslatable(f"{called(node)} as an aggregate")
    return emit(operand, node, over)


def _count(operand: Operand, node: exp.Expr, over: str) -> Value:
    counted = node.this
    if counted is None or isinstance(counted, exp.Star):  # count() is count(*)
        return Value(f"count(*){over}", Kind.INTEGER, nullable=False, exact=True)
    if isinstance(counted, exp.Distinct):
        if len(counted.expressions) != 1 or counted.args.get("on"):
            raise Untranslatable("count(DISTINCT) of several")
        key = group_key(operand(counted.expressions[0]))
        return Value(f"count(DISTINCT {key}){over}", Kind.INTEGER, nullable=False, exact=True)
    return Value(f"count({v.any_kind(operand(counted))}){over}", Kind.INTEGER, nullable=False, exact=True)


def _sum(operand: Operand, node: exp.Expr, over: str) -> Value:
    value, distinct = _argument(operand, node.this, over)
    value = v.number(value)
    if value.kind is Kind.INTEGER:
        return Value(f"sum({distinct}{value.sql}){over}::bigint", Kind.INTEGER, exact=True)
    return _sum_of_doubles(value, over, distinct)


def _sum_of_doubles(value: Value, over: str, distinct: str = "") -> Value:
    total = f"sum({distinct}{value.sql}){over}"
    finite_total = total if value.finite else f"NULLIF({total}, 'NaN'::float8)"
    return Value(finite_total, value.kind, mixed=value.mixed, finite=value.finite, summed=value.kind is Kind.NUMERIC)


def _total(operand: Operand, node: exp.Anonymous, over: str) -> Value:
    if len(node.expressions) != 1:
        raise Untranslatable("total() of several")
    value, distinct = _argument(operand, node.expressions[0], over)
    value = v.number(value)
    if distinct and value.kind is Kind.INTEGER:
        return Value(f"COALESCE(sum(DISTINCT {value.sql}){over}::float8, 0::float8)", Kind.REAL, nullable=False)
    added = _sum_of_doubles(replace(value, sql=f"{value.sql}::float8", kind=Kind.REAL), over, distinct)
    return Value(f"COALESCE({added.sql}, 0::float8)", Kind.REAL, nullable=False, finite=value.finite)


def _average(operand: Operand, node: exp.Expr, over: str) -> Value:
    value, distinct = _argument(operand, node.this, over)
    value = v.number(value)
    average = f"avg({distinct}{value.sql}){over}::float8"
    return Value(average if value.finite else f"NULLIF({average}, 'NaN'::float8)", Kind.REAL, finite=value.finite)


def _joined(operand: Operand, node: exp.Expr, over: str) -> Value:
    """group_concat(): without ORDER BY neither says which of the values comes first."""
    separator = node.args.get("separator")
    inner, order = _ordered(operand, node.this)
    if _OVER in over:
        raise Untranslatable("group_concat() over a window")
    distinct = isinstance(inner, exp.Distinct)
    if distinct:
        if len(inner.expressions) != 1 or separator:
            raise Untranslatable("group_concat(DISTINCT) of several")
        inner = inner.expressions[0]
    value = operand(inner)
    if distinct:
        v.require_groupable(value)
    between = v.text(operand(separator)) if separator else "','"
    return Value(f"string_agg({'DISTINCT ' if distinct else ''}{v.text(value)}, {between}{order}){over}", Kind.TEXT)


def _ordered(operand: Operand, node: exp.Expr) -> tuple[exp.Expr, str]:
    """What is aggregated, and in which order. Raises Untranslatable."""
    if not isinstance(node, exp.Order):
        return node, ""
    require_args(node, "this", "expressions")
    if isinstance(node.this, exp.Distinct):
        raise Untranslatable("an aggregate of DISTINCT values in an order")
    keys = []
    for term in node.expressions:
        value = operand(term.this)
        value = value if value.explicit else v.settled(value)
        keys.append(sort_key(value) + direction(term, value))
    return node.this, order_clause(keys)


def _json_array(operand: Operand, node: exp.Expr, over: str) -> Value:
    inner, order = _ordered(operand, node.this)
    distinct = isinstance(inner, exp.Distinct)
    if distinct:
        if len(inner.expressions) != 1:
            raise Untranslatable("json_group_array(DISTINCT) of several")
        inner = inner.expressions[0]
    value = operand(inner)
    if distinct and value.document is not None:
        raise Untranslatable("json_group_array(DISTINCT) of what a document has", "function")  # 1 and 1.0 are one
    if distinct:
        v.require_groupable(value)
    return json_calls.group_array(value, "DISTINCT " if distinct else "", order, _of_a_group(node, over))


def _json_object(operand: Operand, node: exp.Expr, over: str) -> Value:
    if len(node.expressions) != 2:
        raise Untranslatable("json_group_object() of other than a label and a value")
    key, value = map(operand, node.expressions)
    return json_calls.group_object(key, value, _of_a_group(node, over))


def _of_a_group(node: exp.Expr, over: str) -> str:
    """What stands behind the aggregate, where that is no window."""
    if _OVER in over:
        raise Untranslatable(f"{called(node)} over a window", "function")
    return over


def _extreme(operand: Operand, node: exp.Expr, over: str) -> Value:
    value = v.settled(_argument(operand, node.this, over)[0])
    value = spelt(value) if value.kind is Kind.UUID else value
    if value.kind is Kind.BOOLEAN:
        value = v.number(value)
    if value.kind is Kind.UUID or (value.kind is Kind.BLOB):
        raise Untranslatable(f"{node.key}() of {value.kind}")  # PostgreSQL 15 has neither
    if value.kind is Kind.TEXT and value.collation not in (None, "BINARY"):
        raise Untranslatable(f"{node.key}() under the collation {value.collation}")
    plain = replace(value, collation=None, affinity=None, column=False, literal=None, nullable=True)
    plain = replace(plain, json=value.perhaps_json)
    return replace(plain, sql=f"{node.key}({sort_key(value)}){over}")


def _argument(operand: Operand, node: exp.Expr, over: str) -> tuple[Value, str]:
    """What is aggregated, and DISTINCT where it stands before it."""
    if not isinstance(node, exp.Distinct):
        return operand(node), ""
    if len(node.expressions) != 1 or _OVER in over:
        raise Untranslatable("DISTINCT values of several, or over a window")
    return v.require_groupable(operand(node.expressions[0])), "DISTINCT "


_AGGREGATES: dict[type[exp.Expr], Callable[[Operand, exp.Expr, str], Value]] = {
    exp.Count: _count,
    exp.Sum: _sum,
    exp.Avg: _average,
    exp.Max: _extreme,
    exp.Min: _extreme,
    exp.GroupConcat: _joined,
    exp.JSONArrayAgg: _json_array,
    exp.JSONObjectAgg: _json_object,
}
