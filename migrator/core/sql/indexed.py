"""What CREATE INDEX, PRIMARY KEY and UNIQUE list: a column or an expression, a collation, a direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.core.sql.cursor import Cursor
from migrator.core.sql.lexer import Token, TokenKind


@dataclass(frozen=True)
class IndexedColumn:
    """A column by name, or an expression as written; exactly one of the two is set.

    A double-quoted name that is no column of the table is a string literal to SQLite: only the caller can tell.
    """

    name: str | None
    expression: str | None = None
    collation: str | None = None
    descending: bool = False


def direction(cursor: Cursor) -> bool:
    """Whether DESC stands here."""
    descending = cursor.accept_word("DESC")
    cursor.accept_word("ASC")
    return descending


def _ends_indexed_column(token: Token) -> bool:
    return token.is_operator(",", ")") or token.is_word("ASC", "DESC", "NULLS", "AUTOINCREMENT")


def indexed_column(cursor: Cursor) -> IndexedColumn:
    part = _without_parentheses(cursor.until(_ends_indexed_column))
    collation = None
    if len(part) > 2 and part[-2].is_word("COLLATE") and _is_one_operand(part[:-2]):
        collation = part[-1].value
        part = _without_parentheses(part[:-2])
    descending = direction(cursor)
    if len(part) == 1 and part[0].kind in (
        TokenKind.NAME,
        TokenKind.QUOTED,
        TokenKind.STRING,
    ):
        return IndexedColumn(part[0].value, None, collation, descending)
    return IndexedColumn(None, cursor.slice(part), collation, descending)


def _without_parentheses(part: Sequence[Token]) -> Sequence[Token]:
    while len(part) > 2 and part[0].is_operator("(") and _closing(part, 0) == len(part) - 1:
        part = part[1:-1]
    return part


def _is_one_operand(part: Sequence[Token]) -> bool:
    """COLLATE binds tighter than every operator: behind `a || b` it is b's alone."""
    opening = next((place for place, token in enumerate(part) if token.is_operator("(")), None)
    if opening is None:
        return len(part) == 1
    return opening <= 1 and _closing(part, opening) == len(part) - 1


def _closing(part: Sequence[Token], opening: int) -> int:
    """The place of the ) that closes the ( at `opening`."""
    depth = 0
    for place in range(opening, len(part)):
        depth += part[place].is_operator("(") - part[place].is_operator(")")
        if depth == 0:
            return place
    return -1
