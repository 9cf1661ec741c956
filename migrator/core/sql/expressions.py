"""SQLite's scalar expressions → PostgreSQL's, by an allow-list that both engines prove in the tests.

What is not on the list is declined with a reason, never guessed. Loud differences stay: where SQLite turns an integer
overflow into a REAL, or a REAL overflow into Inf, PostgreSQL raises an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from sqlglot import exp

from migrator.core.model import Affinity
from migrator.core.sql import json_calls
from migrator.core.sql import values as v
from migrator.core.sql.calls import PREFIX, call, now
from migrator.core.sql.casts import TYPES, cast_sql
from migrator.core.sql.choices import choice, unified
from migrator.core.sql.comparing import collated, compared
from migrator.core.sql.functions import FUNCTIONS
from migrator.core.sql.memberships import membership
from migrator.core.sql.parsing import chain, placeholder_number
from migrator.core.sql.patterns import glob_condition, like_condition
from migrator.core.sql.row_values import compared_rows
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.terms import called, called_with, no_column
from migrator.core.sql.times import spelt
from migrator.core.sql.values import Parameter, Value


class Names(Protocol):
    """What a name in an expression stands for."""

    def column(self, table: str | None, name: str) -> Value | None: ...


class Queries(Protocol):
    """Queries inside expressions; only views have them."""

    def exists(self, query: exp.Expr) -> str: ...

    def one_column(self, query: exp.Expr, wanted: Kind | None = None) -> tuple[str, Value]: ...

    def columns(self, query: exp.Expr) -> tuple[str, list[Value]]: ...

    def scalar(self, query: exp.Expr) -> Value: ...


class Emitter:
    """Emits the tree of one expression. Every method raises Untranslatable."""

    handlers: dict[type[exp.Expr], tuple[Callable[[Any, Any], Value] | None, frozenset[str]]]

    def __init__(
        self, names: Names, queries: Queries | None = None, parameters: Mapping[int, Parameter] | None = None
    ) -> None:
        self.names = names
        self.queries = queries
        self.parameters = parameters

    def use_clock(self, what: str) -> None:
        """Not in CHECKs, indexes and generated columns, nor in views: a run compares what these give on both sides."""
        raise Untranslatable(f"{what} in this place", "function")

    def use_pack(self, what: str) -> None:
        self.use_clock(what)

    def warn(self, rule: str, text: str) -> None:
        self.use_clock(text)

    def root(self, node: exp.Expr) -> Value:
        """The expression as a result of its own; a COLLATE around it becomes the key that compares so."""
        value = self.value(node)
        if value.explicit:
            return replace(value, sql=collated(value, value.collation or "BINARY", order=True), explicit=False)
        return v.settled(value)

    def condition(self, node: exp.Expr) -> str:
        return v.truth(self.value(node))

    def value(self, node: exp.Expr) -> Value:
        handler, known = self.handlers.get(type(node), (None, frozenset()))
        if handler is None:
            raise Untranslatable(f"{called(node)} is not on the list of what is translated")
        unknown = [key for key, value in node.args.items() if value and key not in known]
        if unknown:
            raise Untranslatable(called_with(node, unknown))
        found: Value = handler(self, node)
        return found

    def operand(self, node: exp.Expr) -> Value:
        """The value of an argument, where a COLLATE would have no place in the translation."""
        value = self.value(node)
        if value.explicit:
            raise Untranslatable("COLLATE outside a comparison")
        return v.require(value)

    # Leaves

    def paren(self, node: exp.Paren) -> Value:
        return self.value(node.this)

    def literal(self, node: exp.Literal) -> Value:
        if node.is_string:
            return v.string(node.this)
        if node.this.isdigit():
            return v.integer(int(node.this))
        return v.real(node.this)

    def column(self, node: exp.Column) -> Value:
        if not isinstance(node.this, exp.Identifier):
            raise Untranslatable("* outside count(*)")
        value = self.names.column(node.table or None, node.name)
        if value is not None:
            return value
        if node.this.args.get("quoted") and not node.table:
            return v.string(node.name)  # SQLite falls back to a string where "x" is no column
        raise no_column(node.sql(dialect="sqlite"))

    def placeholder(self, node: exp.Placeholder) -> Value:
        if self.parameters is None:
            raise Untranslatable("a placeholder")
        return v.placeholder(self.parameters[placeholder_number(node)])

    def collate(self, node: exp.Collate) -> Value:
        value = v.require(v.typed(self.value(node.this), Kind.TEXT))
        if value.kind is not Kind.TEXT:
            raise Untranslatable(f"COLLATE on {value.kind}")
        return replace(value, collation=node.expression.name.upper(), explicit=True)

    def call(self, node: exp.Anonymous) -> Value:
        return call(self, node.name.lower().removeprefix(PREFIX), [self.operand(item) for item in node.expressions])

    def now(self, node: exp.Expr) -> Value:
        return now(self, _NOW[type(node)])

    # Truth

    def both(self, node: exp.And) -> Value:
        return v.condition(f"({' AND '.join(map(self.condition, chain(node)))})")

    def either(self, node: exp.Or) -> Value:
        return v.condition(f"({' OR '.join(map(self.condition, chain(node)))})")

    def negation(self, node: exp.Not) -> Value:
        inner = node.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return v.condition(f"({v.any_kind(self.value(inner.this))} IS NOT NULL)", nullable=False)
        return v.condition(f"(NOT {self.condition(inner)})")

    def comparison(self, node: exp.Binary) -> Value:
        operator, order = _COMPARISONS[type(node)]
        if isinstance(node.this, exp.Tuple):
            return v.condition(compared_rows(self.value, node.this, operator, node.expression, order=order))
        return self.compare(self.value(node.this), operator, self.value(node.expression), order=order)

    def compare(self, left: Value, operator: str, right: Value, *, order: bool = False) -> Value:
        one, other = compared(left, right, order=order)
        constants = {("=", "TRUE"): one, ("=", "FALSE"): f"(NOT {one})"}
        return v.condition(constants.get((operator, other), f"({one} {operator} {other})"))

    def identity(self, node: exp.Is) -> Value:
        if isinstance(node.expression, exp.Null):
            return v.condition(f"({v.any_kind(self.value(node.this))} IS NULL)", nullable=False)
        if isinstance(node.expression, exp.Boolean):
            return v.condition(f"({self.condition(node.this)} IS {str(node.expression.this).upper()})", nullable=False)
        raise Untranslatable("IS with this operand")

    def between(self, node: exp.Between) -> Value:
        subject = self.value(node.this)
        low, high = self.value(node.args["low"]), self.value(node.args["high"])
        least, most = compared(subject, low, order=True), compared(subject, high, order=True)
        if least[0] == most[0]:
            # PostgreSQL takes no COLLATE before this AND.
            lower = f"({least[1]})" if "COLLATE" in least[1] else least[1]
            return v.condition(f"({least[0]} BETWEEN {lower} AND {most[1]})")
        return v.condition(f"({least[0]} >= {least[1]} AND {most[0]} <= {most[1]})")

    def like(self, node: exp.Like, escape: str | None = None) -> Value:
        subject, pattern = map(self._pattern_side, (node.this, node.expression))
        condition = like_condition(subject, pattern, escape)
        return v.condition(f"(NOT {condition})" if node.args.get("negate") else condition)

    def escape(self, node: exp.Escape) -> Value:
        if not isinstance(node.this, exp.Like) or not node.expression.is_string:
            raise Untranslatable("this ESCAPE")
        return self.like(node.this, node.expression.this)

    def glob(self, node: exp.Glob) -> Value:
        subject, pattern = map(self._pattern_side, (node.this, node.expression))
        condition = glob_condition(subject, pattern)
        if condition is None:
            self.use_pack("GLOB with a pattern that is not a plain literal")
            given = f"{pattern.sql}::text" if pattern.parameter else pattern.sql
            condition = f"sqlite.glob({given}, {f'{subject.sql}::text' if subject.parameter else subject.sql})"
        return v.condition(f"(NOT {condition})" if node.args.get("negate") else condition)

    def _pattern_side(self, node: exp.Expr) -> Value:
        """Patterns know no collation, neither a column's nor one that is written there."""
        return spelt(v.require(v.typed(replace(self.value(node), explicit=False), Kind.TEXT)))

    def exists(self, node: exp.Exists) -> Value:
        return v.condition(f"(EXISTS {self.inner_queries().exists(node.this)})", nullable=False)

    def scalar_query(self, node: exp.Subquery) -> Value:
        return self.inner_queries().scalar(node.this)

    def inner_queries(self) -> Queries:
        if self.queries is None:
            raise Untranslatable("a query inside an expression")
        return self.queries

    # Arithmetic

    def arithmetic(self, node: exp.Binary) -> Value:
        operator = _ARITHMETIC[type(node)]
        left, right = v.operands(self.operand(node.this), self.operand(node.expression))
        if left.kind is Kind.INTEGER and right.kind is Kind.INTEGER:
            exact = left.exact or right.exact
            return Value(f"({left.sql} {operator} {v.divisor(right, operator)})", Kind.INTEGER, exact=exact)
        return v.real_arithmetic(left, operator, right)

    def bitwise(self, node: exp.Binary) -> Value:
        operator = _BITWISE[type(node)]
        left, right = (self._integer(side) for side in (node.this, node.expression))
        if operator in ("<<", ">>"):
            if not isinstance(right.literal, int) or right.literal > 63:
                raise Untranslatable("a shift by other than 0 to 63")
            return Value(f"({left.sql} {operator} {right.literal})", Kind.INTEGER)
        return Value(f"({left.sql} {operator} {right.sql})", Kind.INTEGER)

    def complement(self, node: exp.BitwiseNot) -> Value:
        return Value(f"(~ {self._integer(node.this).sql})", Kind.INTEGER)

    def minus(self, node: exp.Neg) -> Value:
        value = self.operand(node.this)
        if isinstance(value.literal, int):
            opposite = -value.literal
            return replace(value, sql=f"({opposite})", literal=v.in_64_bits(opposite))
        if isinstance(value.literal, float):
            return replace(value, sql=f"(-{value.sql})", literal=-value.literal)
        found = v.number(value)
        return replace(found, sql=f"(- {found.sql})", affinity=None, collation=None, column=False)

    def _integer(self, node: exp.Expr) -> Value:
        value = v.number(self.operand(node))
        if value.kind is not Kind.INTEGER:
            raise Untranslatable(f"bits of {value.kind}")
        return value

    # Text

    def concatenation(self, node: exp.DPipe) -> Value:
        first, second, *others = (spelt(self.operand(part)) for part in chain(node))
        texts = [v.text(v.beside(first, second)), v.text(v.beside(second, first))]
        joined = Value("", Kind.TEXT, exact=True)
        texts += [v.text(v.beside(other, joined)) for other in others]
        return replace(joined, sql=f"({' || '.join(texts)})")

    def arrow(self, node: exp.JSONExtract | exp.JSONExtractScalar) -> Value:
        sides = self.operand(node.this), self.operand(node.expression)
        return json_calls.arrow(self, *sides, scalar=isinstance(node, exp.JSONExtractScalar))

    # Choices

    def case(self, node: exp.Case) -> Value:
        subject = self.value(node.this) if node.this else None
        conditions = [self._when(subject, branch.this) for branch in node.args["ifs"]]
        results = [self.value(branch.args["true"]) for branch in node.args["ifs"]]
        results.append(self.value(node.args["default"]) if node.args.get("default") else v.NULL)
        return choice(conditions, results)

    def _when(self, subject: Value | None, node: exp.Expr) -> str:
        return self.condition(node) if subject is None else self.compare(subject, "=", self.value(node)).sql

    def coalesce(self, node: exp.Coalesce) -> Value:
        arguments = [self.value(argument) for argument in (node.this, *node.expressions)]
        branches, model = unified(arguments)
        if model.kind is Kind.NULL:
            return v.NULL
        nullable = all(argument.nullable for argument in arguments)
        return replace(model, sql=f"COALESCE({', '.join(branches)})", nullable=nullable)

    def nullif(self, node: exp.Nullif) -> Value:
        subject = self.value(node.this)
        equal = self.compare(subject, "=", self.value(node.expression))
        results = [v.NULL, replace(subject, explicit=False)]
        return choice([equal.sql], results)

    def cast(self, node: exp.Cast) -> Value:
        value = self.operand(node.this)
        kind, affinity = _CASTS.get(node.args["to"].this, (None, None))
        if kind is None:
            to = node.args["to"].sql(dialect="sqlite").replace("REAL", "NUMERIC")  # REAL itself is translated
            raise Untranslatable(f"CAST to {to}", next_step="CAST to INTEGER, REAL or TEXT.")
        if value.kind is Kind.PARAMETER and value.parameter is not None:
            value.parameter.fixed = True
            return Value(f"{v.typed(value, kind).sql}::{TYPES[kind]}", kind, affinity=affinity)
        if value.document is not None:
            return replace(v.typed(value, kind), affinity=affinity)
        if value.kind is Kind.NULL:
            return replace(value, affinity=affinity)
        kept = Value("", kind, affinity=affinity, collation=value.collation, column=value.column)
        kept = replace(kept, nullable=value.nullable, finite=value.finite, json=value.perhaps_json)
        return replace(kept, sql=cast_sql(self, value, kind))


_NOW: dict[type[exp.Expr], str] = {
    exp.CurrentDate: "date",
    exp.CurrentTime: "time",
    exp.CurrentTimestamp: "datetime",
}
_COMPARISONS: dict[type[exp.Expr], tuple[str, bool]] = {
    exp.EQ: ("=", False),
    exp.NEQ: ("<>", False),
    exp.LT: ("<", True),
    exp.LTE: ("<=", True),
    exp.GT: (">", True),
    exp.GTE: (">=", True),
    exp.NullSafeEQ: ("IS NOT DISTINCT FROM", False),
    exp.NullSafeNEQ: ("IS DISTINCT FROM", False),
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_BITWISE: dict[type[exp.Expr], str] = {
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseRightShift: ">>",
}
_INTEGER, _REAL, _TEXT = (Kind.INTEGER, Affinity.INTEGER), (Kind.REAL, Affinity.REAL), (Kind.TEXT, Affinity.TEXT)
_CASTS = {
    exp.DataType.Type.INT: _INTEGER,
    exp.DataType.Type.BIGINT: _INTEGER,
    exp.DataType.Type.DOUBLE: _REAL,
    exp.DataType.Type.TEXT: _TEXT,
    exp.DataType.Type.VARCHAR: _TEXT,
}

_BINARY = "this expression typed safe"
_OPERATORS: dict[type[exp.Expr], tuple[Callable[[Emitter, Any], Value], str]] = {
    exp.Paren: (Emitter.paren, "this"),
    exp.Literal: (Emitter.literal, "this is_string"),
    exp.HexString: (lambda _, node: v.blob(node.this), "this"),
    exp.Null: (lambda *_: v.NULL, ""),
    exp.Boolean: (lambda _, node: v.integer(int(node.this)), "this"),
    exp.Column: (Emitter.column, "this table"),
    exp.Anonymous: (Emitter.call, "this expressions"),
    **dict.fromkeys(_NOW, (Emitter.now, "")),
    exp.Placeholder: (Emitter.placeholder, "this"),
    exp.Collate: (Emitter.collate, "this expression"),
    exp.And: (Emitter.both, _BINARY),
    exp.Or: (Emitter.either, _BINARY),
    exp.Not: (Emitter.negation, "this"),
    exp.Is: (Emitter.identity, _BINARY),
    exp.Between: (Emitter.between, "this low high"),
    exp.In: (membership, "this expressions query"),
    exp.Like: (Emitter.like, "this expression negate"),
    exp.Escape: (Emitter.escape, "this expression"),
    exp.Glob: (Emitter.glob, "this expression negate"),
    exp.Exists: (Emitter.exists, "this"),
    exp.Subquery: (Emitter.scalar_query, "this"),
    exp.BitwiseNot: (Emitter.complement, "this"),
    exp.Neg: (Emitter.minus, "this"),
    exp.DPipe: (Emitter.concatenation, _BINARY),
    exp.JSONExtract: (Emitter.arrow, _BINARY),
    exp.JSONExtractScalar: (Emitter.arrow, _BINARY),
    exp.Case: (Emitter.case, "this ifs default"),
    exp.Coalesce: (Emitter.coalesce, "this expressions"),
    exp.Nullif: (Emitter.nullif, "this expression"),
    exp.Cast: (Emitter.cast, "this to"),
    **dict.fromkeys(_COMPARISONS, (Emitter.comparison, _BINARY)),
    **dict.fromkeys(_ARITHMETIC, (Emitter.arithmetic, _BINARY)),
    **dict.fromkeys(_BITWISE, (Emitter.bitwise, _BINARY)),
}


def _function(emit: Callable[..., Value]) -> Callable[[Emitter, exp.Expr], Value]:
    return lambda emitter, node: emit(emitter.operand, node)


Emitter.handlers = {kind: (handler, frozenset(known.split())) for kind, (handler, known) in _OPERATORS.items()}
Emitter.handlers |= {kind: (_function(emit), frozenset(known.split())) for kind, (emit, known) in FUNCTIONS.items()}
