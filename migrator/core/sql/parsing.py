"""Text → sqlglot's tree, and the proof that SQLite reads the text the same way.

sqlglot binds some operators more or less tightly than SQLite does (`a || b + c`, `a = b IS NULL`, `a + b COLLATE x`),
so a tree is accepted only if SQLite's own precedences give it back: https://www.sqlite.org/lang_expr.html#operators
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from migrator.core.sql.calls import CALLS, PREFIX
from migrator.core.sql.lexer import LexError, TokenKind, tokens, with_tokens
from migrator.core.sql.scope import Untranslatable
from migrator.core.sql.terms import unparsed

_UNPARSED = "Ask SQLite whether it takes it; where it does, write it for PostgreSQL by hand."
_BEFORE_TABLE = ("INTO", "TABLE", "ON", "UPDATE", "FROM", "JOIN", "WITH", "EXISTS", "REFERENCES")  # date (a, b)
_EQUALITIES = (exp.EQ, exp.NEQ, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Like, exp.Glob, exp.Between)
_LEVELS: tuple[tuple[type[exp.Expr], ...], ...] = (
    (exp.Or,),
    (exp.And,),
    (exp.Not,),
    (*_EQUALITIES, exp.Escape),
    (exp.LT, exp.LTE, exp.GT, exp.GTE),
    (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseLeftShift, exp.BitwiseRightShift),
    (exp.Add, exp.Sub),
    (exp.Mul, exp.Div, exp.Mod),
    (exp.DPipe, exp.JSONExtract, exp.JSONExtractScalar),
    (exp.Collate,),
    (exp.Neg, exp.BitwiseNot),
)
_LEVEL_OF = {kind: level for level, kinds in enumerate(_LEVELS) for kind in kinds}


def parse_expression(text: str) -> exp.Expr:
    """Raises Untranslatable."""
    select = parse_query(f"SELECT {text}\n")
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise Untranslatable("not one expression")
    if any(value for key, value in select.args.items() if key not in ("expressions", "kind")):
        raise Untranslatable("not one expression")
    found: exp.Expr = select.expressions[0]
    return found


def parse_query(text: str) -> exp.Expr:
    """Raises Untranslatable."""
    try:
        trees = sqlglot.parse(_with_own_names(text), read="sqlite")
        if len(trees) != 1 or not isinstance(trees[0], exp.Expr):
            raise Untranslatable("not one statement")
        _require_sqlites_reading(trees[0])
    except LexError as error:
        raise Untranslatable(f"SQLite cannot read it: {error}", "syntax") from error
    except SqlglotError as error:
        raise Untranslatable(unparsed(error, PREFIX), next_step=_UNPARSED) from error
    return trees[0]


def _with_own_names(text: str) -> str:
    """The text with names for SQLite's own functions that sqlglot does not take for another dialect's."""
    found = list(tokens(text))
    calls = [
        token
        for before, token, behind in zip([None, *found], found, found[1:], strict=False)
        if token.text.lower() in CALLS and behind.is_operator("(") and not (before and before.is_word(*_BEFORE_TABLE))
    ]
    # sqlglot takes a literal behind an arrow for a path of its own.
    operands = {
        token: f"({token.text})"
        for before, token in pairwise(found)
        if before.is_operator("->", "->>") and token.kind in (TokenKind.STRING, TokenKind.NUMBER)
    }
    return with_tokens(text, {token: PREFIX + token.text for token in calls} | operands)


def placeholder_text(number: int) -> str:
    """How a placeholder is spelt for the parser; SQLite's own `?NNN` it cannot read."""
    return f":p{number}"


def placeholder_number(node: exp.Placeholder) -> int:
    return int(node.name.removeprefix("p"))


def chain(node: exp.Binary) -> list[exp.Expr]:
    """The operands of `a OR b OR c`, which is a tree as deep as it is long."""
    found: list[exp.Expr] = []
    here: exp.Expr = node
    while type(here) is type(node):
        found.append(here.expression)
        here = here.this
    return [here, *reversed(found)]


@contextmanager
def too_deep_is_declined() -> Iterator[None]:
    """Parsing and emitting recurse with the tree."""
    try:
        yield
    except RecursionError as error:
        raise Untranslatable("it is nested too deeply") from error


def _require_sqlites_reading(tree: exp.Expr) -> None:
    for node in tree.walk():
        level = _LEVEL_OF.get(type(node))
        if level is None or _is_assignment(node):
            continue
        for operand, tightest in _operands(node):
            inner = _LEVEL_OF.get(type(operand))
            if inner is not None and inner < level + tightest:
                raise Untranslatable(f"parentheses are needed in {node.sql(dialect='sqlite')}")


def _is_assignment(node: exp.Expr) -> bool:
    """`a = x` in SET is no comparison."""
    return isinstance(node.parent, exp.Update | exp.OnConflict) and node.arg_key == "expressions"


def _operands(node: exp.Expr) -> Iterator[tuple[exp.Expr, int]]:
    """The operands, with 0 for one that may be of the same level: operators associate to the left."""
    prefixed = isinstance(node, exp.Not | exp.Escape | exp.Neg | exp.BitwiseNot)
    negated_suffix = isinstance(node, exp.Not) and isinstance(node.this, exp.Is | exp.In | exp.Between)
    for key, values in node.args.items():
        for operand in values if isinstance(values, list) else [values]:
            if isinstance(operand, exp.Expr) and key not in ("expressions", "query"):
                yield operand, 0 if key == "this" or prefixed or negated_suffix else 1
