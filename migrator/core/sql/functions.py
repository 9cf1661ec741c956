"""The scalar functions on the allow-list, each with the PostgreSQL expression that gives the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from migrator.core.sql import values as v
from migrator.core.sql.comparing import comparison_collation, sort_key
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

Operand = Callable[[exp.Expr], Value]

_STORAGE_CLASSES = {
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "integer",
    Kind.REAL: "real",
    Kind.TEXT: "text",
    Kind.BLOB: "blob",
}


def _text(operand: Operand, node: exp.Expr) -> str:
    value = v.typed(operand(node), Kind.TEXT)
    if value.kind not in (Kind.TEXT, Kind.NULL):
        raise Untranslatable(f"a string function of {value.kind}")
    return v.text(value)


def length(operand: Operand, node: exp.Length) -> Value:
    value = operand(node.this)
    if value.kind is Kind.BLOB:
        return Value(f"octet_length({value.sql})::bigint", Kind.INTEGER)
    return Value(f"length({v.text(value)})::bigint", Kind.INTEGER)


def folded(name: str) -> Callable[[Operand, exp.Expr], Value]:
    """lower() and upper(): under "C" they know the ASCII letters only, as SQLite's do."""
    return lambda operand, node: Value(f'{name}({_text(operand, node.this)} COLLATE "C")', Kind.TEXT)


def trim(operand: Operand, node: exp.Trim) -> Value:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "btrim")
    characters = _text(operand, node.expression) if node.expression else "' '"
    return Value(f"{name}({_text(operand, node.this)}, {characters})", Kind.TEXT)


def position(operand: Operand, node: exp.StrPosition) -> Value:
    return Value(f"strpos({_text(operand, node.this)}, {_text(operand, node.args['substr'])})::bigint", Kind.INTEGER)


def replaced(operand: Operand, node: exp.Replace) -> Value:
    if not node.args.get("replacement"):
        raise Untranslatable("replace() with two arguments")
    if not operand(node.expression).literal and operand(node.args["replacement"]).nullable:
        raise Untranslatable("replace() of what may be '' by what may be NULL")  # SQLite then returns the text
    parts = [_text(operand, part) for part in (node.this, node.expression, node.args["replacement"])]
    return Value(f"replace({', '.join(parts)})", Kind.TEXT)


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
        branches, model = v.unified(arguments)
        if model.kind is Kind.NULL:
            return v.NULL
        keys = [sort_key(replace(model, sql=branch)) for branch in branches]
        nulls = " OR ".join(f"{key} IS NULL" for key in keys)
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
