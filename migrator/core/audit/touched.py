"""Which tables a statement reads and writes, by its tokens: also of a text with holes, which no parser takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrator.core.model import fold
from migrator.core.sql.lexer import Token, TokenKind
from migrator.core.sql.split import SourceStatement, split

HOLE = "migrator_hole"  # in place of what is not known
_DEFINES = ("CREATE", "DROP", "ALTER", "PRAGMA", "ATTACH", "DETACH", "VACUUM", "ANALYZE", "REINDEX", "EXPLAIN")
# Behind a table of FROM these begin what is no table any more.
_ENDS = {
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "WINDOW",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "SET",
    "ON",
    "USING",
    "RETURNING",
}


class Operation(StrEnum):
    READ = "read"
    WRITE = "write"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Touched:
    """Tables by their folded names, in the order in which the statement names them; HOLE is one that is not known.

    `unknown` says that there is a statement of which not even the verb is known.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    unknown: bool = False


def touched_by(sql: str) -> Touched:
    """Of all statements of a text."""
    return touched_by_statements(split(sql))


def touched_by_statements(statements: Iterable[SourceStatement]) -> Touched:
    """Definitions and what only concerns SQLite touch nothing; what a statement writes it does not also read."""
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    unknown = False
    for statement in statements:
        unknown = unknown or statement.begins_with(HOLE.upper())
        if statement.tokens and not statement.begins_with("CREATE") and not statement.tokens[0].is_word(*_DEFINES):
            own = set(_with_names(statement.tokens))
            found = [(operation, name) for operation, name in _named(statement) if name not in own]
            written = dict.fromkeys(name for operation, name in found if operation is Operation.WRITE)
            writes |= written
            reads |= dict.fromkeys(name for _, name in found if name not in written)
    return Touched(tuple(reads), tuple(writes), unknown)


def _named(statement: SourceStatement) -> Iterator[tuple[Operation, str]]:
    tokens = statement.tokens
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        if token.is_word("INTO"):
            yield from _one(tokens, place + 1, Operation.WRITE)
        elif token.is_word("UPDATE") and not (before and before.is_word("DO")):
            yield from _one(tokens, _behind_or(tokens, place + 1), Operation.WRITE)
        elif token.is_word("FROM") and before is not None and before.is_word("DELETE"):
            yield from _one(tokens, place + 1, Operation.WRITE)
        elif token.is_word("JOIN"):
            yield from _one(tokens, place + 1, Operation.READ)
        elif token.is_word("FROM") and not (before and before.is_word("DISTINCT")):
            yield from _listed(tokens, place + 1)


def _behind_or(tokens: Sequence[Token], place: int) -> int:
    return place + 2 if place < len(tokens) and tokens[place].is_word("OR") else place


def _one(tokens: Sequence[Token], place: int, operation: Operation) -> Iterator[tuple[Operation, str]]:
    """The table at that place, if there is one: no subquery, and no function that gives rows."""
    schema = ""
    if place + 2 < len(tokens) and tokens[place + 1].is_operator("."):
        schema = "" if tokens[place].is_word("MAIN", "TEMP") else f"{fold(tokens[place].value)}."
        place += 2
    if place >= len(tokens) or tokens[place].kind not in (TokenKind.NAME, TokenKind.QUOTED, TokenKind.STRING):
        return
    follows = tokens[place + 1] if place + 1 < len(tokens) else None
    is_call = operation is Operation.READ and follows is not None and follows.is_operator("(")
    if not is_call and not tokens[place].is_word("SELECT", "VALUES", *_ENDS):
        yield operation, schema + fold(tokens[place].value)


def _listed(tokens: Sequence[Token], place: int) -> Iterator[tuple[Operation, str]]:
    """`FROM a, b AS c, (…), d`: what stands behind FROM and behind each comma of its own depth."""
    yield from _one(tokens, place, Operation.READ)
    depth = 0
    for at in range(place, len(tokens)):
        token = tokens[at]
        depth += token.is_operator("(") - token.is_operator(")")
        if depth < 0 or token.is_operator(";") or (depth == 0 and token.is_word(*_ENDS)):
            return
        if depth == 0 and token.is_operator(","):
            yield from _one(tokens, at + 1, Operation.READ)


def _with_names(tokens: Sequence[Token]) -> Iterator[str]:
    """The names that WITH gives to queries."""
    if not any(token.is_word("WITH") for token in tokens):
        return
    for place, token in enumerate(tokens[1:], 1):
        if token.is_word("AS") and _opens_query(tokens, place + 1):
            name = place - 1
            if tokens[name].is_operator(")"):
                while name > 0 and not tokens[name].is_operator("("):
                    name -= 1
                name -= 1
            yield fold(tokens[name].value)


def _opens_query(tokens: Sequence[Token], place: int) -> bool:
    while place < len(tokens) and tokens[place].is_word("NOT", "MATERIALIZED"):
        place += 1
    return (
        place + 1 < len(tokens)
        and tokens[place].is_operator("(")
        and tokens[place + 1].is_word("SELECT", "VALUES", "WITH")
    )
