"""What kind of statement a text is, as Python's sqlite3 and the transactions want to know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from migrator.core.model import fold
from migrator.core.sql.lexer import Token, TokenKind
from migrator.core.sql.split import SourceStatement, split

_DML = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_QUERIES = ("SELECT", "VALUES", "WITH")
_CONTROL = ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE")
_DDL = ("CREATE", "DROP", "ALTER")
_NOTHING = ("VACUUM", "ANALYZE", "REINDEX")
# These describe tables, and SQLite's own answer for tables without rows is the answer.
_ABOUT_TABLES = {
    *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"),
    *("foreign_key_list", "collation_list", "compile_options", "function_list", "module_list", "pragma_list"),
}


@dataclass(frozen=True)
class Sorted:
    """`kind` is one of dml, query, control, ddl, pragma, nothing and other; `word` the first one in capitals."""

    statement: SourceStatement
    kind: str
    word: str

    @property
    def begins(self) -> bool:
        """Whether sqlite3 opens a transaction before it: it looks at the first word alone."""
        return self.kind == "dml"

    @property
    def has_returning(self) -> bool:
        return _outside_parentheses(self.statement.tokens, "RETURNING")

    def shown(self, numbers: Sequence[int]) -> set[int]:
        """Which of the placeholders, whose numbers stand in their order, may say what type a result has."""
        if self.kind == "dml" and not self.has_returning:
            return set()
        tokens = self.statement.tokens
        depths = list(accumulate(token.is_operator("(") - token.is_operator(")") for token in tokens))
        outside = [place for place, depth in enumerate(depths) if depth == 0]
        conditions = next((place for place in outside if tokens[place].is_word("WHERE")), len(tokens))
        if self.word != "SELECT" or any(tokens[place].is_word("UNION", "INTERSECT", "EXCEPT") for place in outside):
            conditions = len(tokens)
        places = [place for place, token in enumerate(tokens) if token.kind is TokenKind.PLACEHOLDER]
        return {number for place, number in zip(places, numbers, strict=True) if place < conditions}

    @property
    def may_update(self) -> bool:
        """Whether it is an INSERT that may update a row instead."""
        texts = [token.text.upper() for token in self.statement.tokens]
        return self.word != "REPLACE" and any(
            texts[place : place + 2] == ["DO", "UPDATE"] for place in range(len(texts))
        )


def sort_out(sql: str) -> list[Sorted]:
    """The statements of the text, each with its kind."""
    return [Sorted(statement, _kind(statement), _word(statement)) for statement in split(sql)]


def _word(statement: SourceStatement) -> str:
    return statement.tokens[0].text.upper() if statement.tokens else ""


def _kind(statement: SourceStatement) -> str:
    word = _word(statement)
    kinds = {"dml": _DML, "query": _QUERIES, "control": _CONTROL, "ddl": _DDL, "nothing": _NOTHING}
    if word == "PRAGMA":
        return "pragma"
    return next((kind for kind, words in kinds.items() if word in words), "other")


def _outside_parentheses(tokens: tuple[Token, ...], word: str) -> bool:
    depth = 0
    for token in tokens:
        depth += token.is_operator("(") - token.is_operator(")")
        if depth == 0 and token.is_word(word):
            return True
    return False


@dataclass(frozen=True)
class Control:
    """BEGIN and its like: the word, what kind of BEGIN, and the savepoint's folded name."""

    word: str
    at_once: bool = False
    savepoint: str | None = None


def control(statement: SourceStatement) -> Control:
    """Of a statement that SQLite's parser has accepted."""
    words = [token for token in statement.tokens if not token.is_word("TRANSACTION", "TO")]
    first = words[0].text.upper()
    names = [token for token in words[1:] if not token.is_word("SAVEPOINT")]
    if first == "BEGIN":
        return Control("BEGIN", at_once=any(token.is_word("IMMEDIATE", "EXCLUSIVE") for token in words[1:]))
    if first in ("COMMIT", "END"):
        return Control("COMMIT")
    if first == "ROLLBACK" and not any(token.is_word("TO") for token in statement.tokens):
        return Control("ROLLBACK")
    named = fold(names[-1].value) if names else fold(words[-1].value)
    return Control("ROLLBACK TO" if first == "ROLLBACK" else first, savepoint=named)


@dataclass(frozen=True)
class Pragma:
    """`value` is what stands behind = or in parentheses."""

    name: str
    value: str | None

    @property
    def is_about_tables(self) -> bool:
        return self.name in _ABOUT_TABLES


def pragma(statement: SourceStatement) -> Pragma:
    """PRAGMA main.name(value) and its other forms."""
    rest = [token for token in statement.tokens[1:] if token.kind is not TokenKind.OPERATOR or token.text != "."]
    names = [token for token in rest if token.kind in (TokenKind.NAME, TokenKind.QUOTED)]
    qualified = any(token.is_operator(".") for token in statement.tokens[:3])
    name = names[1] if qualified and len(names) > 1 else names[0]
    behind = [token.value for token in rest[rest.index(name) + 1 :] if not token.is_operator("=", "(", ")")]
    return Pragma(fold(name.value), "".join(behind) or None)
