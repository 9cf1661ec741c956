"""IN: a value among others, in the result of a query, or as one row of several columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from migrator.core.sql import values as v
from migrator.core.sql.comparing import compared
from migrator.core.sql.row_values import members_of, row_among, row_in_query
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value


class Queries(Protocol):
    def one_column(self, query: exp.Expr, wanted: Kind | None = None) -> tuple[str, Value]: ...

    def columns(self, query: exp.Expr) -> tuple[str, list[Value]]: ...


class Emits(Protocol):
    def value(self, node: exp.Expr) -> Value: ...

    def inner_queries(self) -> Queries: ...


def membership(emitter: Emits, node: exp.In) -> Value:
    if isinstance(node.this, exp.Tuple):
        return _of_rows(emitter, node, node.this)
    subject = emitter.value(node.this)
    if node.args.get("query"):
        wanted = subject.kind if subject.kind in (Kind.INTEGER, Kind.REAL) else None
        query, member = emitter.inner_queries().one_column(node.args["query"].this, wanted)
        subject = v.typed(subject, member.kind)
        if compared(subject, replace(member, collation=None), order=False) != (subject.sql, member.sql):
            raise Untranslatable("IN with a query of another kind or collation")
        return _among(subject, [member], lambda _: query)
    if not node.expressions:
        v.require(subject)
        return v.condition("FALSE", nullable=False)
    members = [emitter.value(member) for member in members_of(node)]
    if node.expressions[0].key == "values" and any(member.affinity for member in members):
        raise Untranslatable("IN with VALUES of columns")
    subject = v.typed(subject, next((m.kind for m in members if m.kind is not Kind.PARAMETER), Kind.PARAMETER))
    return _among(subject, members, ", ".join)


def _of_rows(emitter: Emits, node: exp.In, subject: exp.Tuple) -> Value:
    if node.args.get("query"):
        return v.condition(
            row_in_query(emitter.value, subject, *emitter.inner_queries().columns(node.args["query"].this))
        )
    if len(node.expressions) != 1 or not isinstance(node.expressions[0], exp.Values):
        raise Untranslatable("a row value IN other than VALUES or a query")
    return v.condition(row_among(emitter.value, subject, node.expressions[0].expressions))


def _among(subject: Value, members: list[Value], inside: Callable[[list[str]], str]) -> Value:
    """The subject's collation counts, the members' don't."""
    if any(member.explicit for member in members):
        raise Untranslatable("COLLATE inside IN")
    plain = [replace(member, collation=None) for member in members]
    sides = [compared(subject, member, order=False) for member in plain]
    if len({left for left, _ in sides}) > 1:
        raise Untranslatable("IN with members of several kinds")
    return v.condition(f"({sides[0][0]} IN ({inside([right for _, right in sides])}))")
