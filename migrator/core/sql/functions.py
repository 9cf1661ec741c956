"""The scalar functions on the allow-list, each with the PostgreSQL expression that gives the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from migrator.core.sql import values as v
from migrator.core.sql.choices import unified
from migrator.core.sql.comparing import comparison_collation, sort_key
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.times import spelt
from migrator.core.sql.values import Value

Operand = Callable[[exp.Expr], Value]

_STORAGE_CLASSES = {
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "integer",
    Kind.REAL: "real",
    Kind.TEXT: "text",
    Kind.BLOB: "blob",
}


def _text_value(operand: Operand, node: exp.Expr) -> Value:
    value = spelt(v.typed(operand(node), Kind.TEXT))
    if value.kind not in (Kind.TEXT, Kind.NULL):
        raise Untranslatable(f"a string function of {value.kind}")
    return replace(value, sql=v.text(value))


def _text(operand: Operand, node: exp.Expr) -> str:
    return _text_value(operand, node).sql


def _texts(operand: Operand, nodes: Sequence[exp.Expr]) -> str:
    """Arguments of a function, the first of which tells PostgreSQL which function it is."""
    first, *others = (_text_value(operand, node) for node in nodes)
    return ", ".join([first.sql, *(v.beside(other, first).sql for other in others)])


def length(operand: Operand, node: exp.Length) -> Value:
    value = spelt(operand(node.this))
    if value.kind is Kind.BLOB:
        return Value(f"octet_length({value.sql})::bigint", Kind.INTEGER, exact=True)
    return Value(f"length({v.text(value)})::bigint", Kind.INTEGER, exact=True)


def folded(name: str) -> Callable[[Operand, exp.Expr], Value]:
    """lower() and upper(): under "C" they know the ASCII letters only, as SQLite's do."""

    def emit(operand: Operand, node: exp.Expr) -> Value:
        value = _text_value(operand, node.this)
        # Under NOCASE it is written as the key by which texts are compared and grouped.
        collation = "" if value.bytewise and value.collation in (None, "BINARY") else ' COLLATE "C"'
        return Value(f"{name}({value.sql}{collation})", Kind.TEXT, exact=True)

    return emit


def trim(operand: Operand, node: exp.Trim) -> Value:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "btrim")
    if not node.expression:
        return Value(f"{name}({_text(operand, node.this)})", Kind.TEXT, exact=True)
    return Value(f"{name}({_texts(operand, [node.this, node.expression])})", Kind.TEXT, exact=True)


def position(operand: Operand, node: exp.StrPosition) -> Value:
    searched = _texts(operand, [node.this, node.args["substr"]])
    return Value(f"strpos({searched})::bigint", Kind.INTEGER, exact=True)


def replaced(operand: Operand, node: exp.Replace) -> Value:
    if not node.args.get("replacement"):
        raise Untranslatable("replace() with two arguments")
    if not operand(node.expression).literal and operand(node.args["replacement"]).nullable:
        raise Untranslatable("replace() of what may be '' by what may be NULL")  # SQLite then returns the text
    parts = _texts(operand, [node.this, node.expression, node.args["replacement"]])
    return Value(f"replace({parts})", Kind.TEXT, exact=True)


def absolute(operand: Operand, node: exp.Abs) -> Value:
    value = v.number(operand(node.this))
    return Value(f"abs({value.sql})", value.kind, mixed=value.mixed, finite=value.finite)


def storage_class(operand: Operand, node: exp.Typeof) -> Value:
    value = operand(node.this)
    name = _STORAGE_CLASSES.get(value.kind)
    if name is None or value.mixed:
        raise Untranslatable(f"typeof() of {value.kind}")
    if not value.nullable:
        return v.string(name)
    return Value(f"(CASE WHEN {value.sql} IS NULL THEN 'null' ELSE '{name}' END)::text", Kind.TEXT, nullable=False)


def extreme(name: str) -> Callable[[Operand, exp.Expr], Value]:
    """max(a, b) and min(a, b) are NULL if any argument is; GREATEST and LEAST pass over NULLs."""

    def emit(operand: Operand, node: exp.Expr) -> Value:
        arguments = [operand(argument) for argument in (node.this, *node.expressions)]
        if any(comparison_collation(argument, v.NULL) != "BINARY" for argument in arguments):
            raise Untranslatable(f"{name} of texts that are not compared as BINARY")
        branches, model = unified(arguments)
        if model.kind is Kind.NULL:
            return v.NULL
        keys = [sort_key(replace(model, sql=branch)) for branch in branches]
        tested = (
            v.any_kind(argument) if key == argument.sql else key for argument, key in zip(arguments, keys, strict=True)
        )
        nulls = " OR ".join(f"{key} IS NULL" for key in tested)
        return replace(model, sql=f"(CASE WHEN {nulls} THEN NULL ELSE {name}({', '.join(keys)}) END)")

    return emit


FUNCTIONS: dict[type[exp.Expr], tuple[Callable[[Operand, Any], Value], str]] = {
    exp.Length: (length, "this"),
    exp.Lower: (folded("lower"), "this"),
    exp.Upper: (folded("upper"), "this"),
    exp.Trim: (trim, "this expression position"),
    exp.StrPosition: (position, "this substr"),
    exp.Replace: (replaced, "this expression replacement"),
    exp.Abs: (absolute, "this"),
    exp.Typeof: (storage_class, "this"),
    exp.Greatest: (extreme("GREATEST"), "this expressions"),
    exp.Least: (extreme("LEAST"), "this expressions"),
}
