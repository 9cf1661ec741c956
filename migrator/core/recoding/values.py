"""Values that a program puts into its SQL as text → arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.core.python.kinds import is_number
from migrator.core.python.modules import How, Scope
from migrator.core.python.texts import Hole, Known, Marks, Text
from migrator.core.sql.lexer import LexError, Token, TokenKind, tokens

HOLE = "migrator_hole_"  # and a number of three digits, in place of what is put in
HOLE_LENGTH = len(HOLE) + 3
_COMPARES = ("=", "==", "!=", "<>", "<", ">", "<=", ">=")
_BEFORE_A_NUMBER = ("LIMIT", "OFFSET", "BETWEEN", "AND")


@dataclass(frozen=True)
class Slot:
    """One place of a value: a placeholder that stood there, or a hole that becomes one, and its new argument."""

    argument: str | None = None  # the source of the new one; None for a placeholder


@dataclass(frozen=True)
class Parametrised:
    """`filled` has names in place of the holes, `sql` has `?`; `slots` are all values in order."""

    filled: str
    sql: str
    slots: tuple[Slot, ...]

    def arguments(self, node: ast.expr | None) -> str | None:
        """The source of all arguments, those of the call in their places; None where those cannot be told apart."""
        old = sum(slot.argument is None for slot in self.slots)
        if node is None or isinstance(node, ast.Tuple | ast.List):
            given = [ast.unparse(item) for item in node.elts] if node is not None else []
            if len(given) != old or any(item.startswith("*") for item in given):
                return None
            remaining = iter(given)
            all_of_them = [slot.argument or next(remaining) for slot in self.slots]
            return f"({', '.join(all_of_them)}{',' if len(all_of_them) == 1 else ''})"
        return None


def parametrised(text: Text) -> Parametrised | None:
    """None where something that is put in is no value, or may be none."""
    if any(isinstance(piece, Marks) for piece in text.pieces) or any(hole.within is None for hole in text.holes):
        return None
    names = {f"{HOLE}{number:03}": hole for number, hole in enumerate(text.holes)}
    filled = _filled(text, list(names))
    try:
        found = list(tokens(filled))
    except LexError:
        return None
    slots: list[Slot] = []
    new, place = [], 0
    for at, token in enumerate(found):
        inside = [name for name in names if name in token.text]
        if token.kind is TokenKind.PLACEHOLDER:
            if token.text != "?":
                return None
            slots.append(Slot())
        if not inside:
            continue
        source = _argument(found, at, token, inside, names)
        if source is None:
            return None
        slots.append(Slot(source))
        new += [filled[place : token.start], "?"]
        place = token.end
    return Parametrised(filled, "".join(new) + filled[place:], tuple(slots))


def _filled(text: Text, names: Sequence[str]) -> str:
    remaining = iter(names)
    return "".join(piece.text if isinstance(piece, Known) else next(remaining) for piece in text.pieces)


def _argument(
    found: Sequence[Token], at: int, token: Token, inside: Sequence[str], names: dict[str, Hole]
) -> str | None:
    """The source of the value that a token is: of a text with holes in it, an f-string."""
    if token.kind is TokenKind.STRING:
        return _formatted(token.value, inside, names)
    if token.kind is not TokenKind.NAME or token.text != inside[0] or len(inside) != 1 or not at:
        return None
    hole, before = names[inside[0]], found[at - 1]
    is_place = before.is_operator(*_COMPARES) or before.is_word(*_BEFORE_A_NUMBER)
    return ast.unparse(hole.node) if is_place and is_number(hole.node, hole.scope) else None


def _formatted(value: str, inside: Sequence[str], names: dict[str, Hole]) -> str | None:
    sources = {name: _unescaped(names[name].node, names[name].scope) for name in inside}
    if any(source is None for source in sources.values()):
        return None
    if len(inside) == 1 and value == inside[0]:
        return f"str({sources[inside[0]]})"
    parts: list[ast.expr] = []
    for piece in _pieces(value, inside):
        source = sources.get(piece)
        if source is None:
            parts.append(ast.Constant(piece))
        else:
            parts.append(ast.FormattedValue(ast.parse(source, mode="eval").body, -1))
    return ast.unparse(ast.JoinedStr(parts))


def _pieces(value: str, inside: Sequence[str]) -> Iterator[str]:
    for name in inside:
        before, _, value = value.partition(name)
        if before:
            yield before
        yield name
    if value:
        yield value


def _unescaped(node: ast.expr, scope: Scope) -> str | None:
    """What stood there before its quotes were doubled; None where something else was done to it."""
    if isinstance(node, ast.Name):
        given = [item.value for item in scope.bindings.get(node.id, ()) if item.how is How.ASSIGNED]
        if len(given) == 1 and given[0] is not None and _doubles(given[0]):
            return _unescaped(given[0], scope)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
        return ast.unparse(node.func.value) if _doubles(node) else None
    return ast.unparse(node)


def _doubles(node: ast.expr) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "replace"):
        return False
    values = [item.value for item in node.args if isinstance(item, ast.Constant)]
    return values == ["'", "''"]
