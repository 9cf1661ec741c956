"""The results of a statement as they are written: by this text SQLite calls a column that has no other name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.core.sql.lexer import Token

_VERBS = ("SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE")
_ENDS = ("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "WINDOW")
_SPACE = " \t\n\f\r"


def result_texts(sql: str, tokens: Sequence[Token]) -> tuple[str, ...]:
    """Of the first SELECT, or of RETURNING; none where the statement has no results.

    A text reaches up to the next token, as SQLite's does: a comment behind a result belongs to it.
    """
    outer = [token for token, depth in _with_depths(tokens) if depth == 0]
    verb = next((token for token in outer if token.is_word(*_VERBS)), None)
    if verb is None or verb.is_word("VALUES"):
        return ()
    if not verb.is_word("SELECT"):
        verb = next((token for token in reversed(outer) if token.is_word("RETURNING")), None)
        if verb is None:
            return ()
    return tuple(_texts(sql, tokens[tokens.index(verb) + 1 :]))


def _texts(sql: str, tokens: Sequence[Token]) -> Iterator[str]:
    start: Token | None = None
    before: tuple[Token, ...] = ()
    for token, depth in _with_depths(tokens):
        if start is None and not token.is_word("DISTINCT", "ALL"):
            start = token
        if start is not None and depth == 0 and (token.is_operator(",") or _is_end(token, before)):
            yield sql[start.start : token.start].strip(_SPACE)
            start = None
            if not token.is_operator(","):
                return
        before = (*before[-1:], token)
    if start is not None:
        yield sql[start.start :].strip(_SPACE)


def _is_end(token: Token, before: Sequence[Token]) -> bool:
    """FROM ends the list, but not that of IS DISTINCT FROM."""
    compares = len(before) == 2 and before[1].is_word("DISTINCT") and before[0].is_word("IS", "NOT")
    return token.is_word(*_ENDS) and not compares


def _with_depths(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each with the number of parentheses around it; these count as outside themselves."""
    depth = 0
    for token in tokens:
        depth -= token.is_operator(")")
        yield token, depth
        depth += token.is_operator("(")
