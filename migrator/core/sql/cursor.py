"""A place among the tokens of one CREATE statement, and the small steps it is read with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from migrator.core.sql.lexer import LexError, Token, TokenKind, tokens

_Item = TypeVar("_Item")


class DefinitionError(ValueError):
    """The statement is not one that this module reads. The message says what was expected, and where."""


class Cursor:
    """Every method either steps over what it reads or raises DefinitionError."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        try:
            self.tokens = tuple(tokens(sql))
        except LexError as error:
            raise DefinitionError(str(error)) from error
        if self.tokens and self.tokens[-1].is_operator(";"):
            self.tokens = self.tokens[:-1]
        self.at = 0

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def fail(self, expected: str) -> DefinitionError:
        token = self.peek()
        found = f"{token.text!r} at character {token.start + 1}" if token else "the end of the statement"
        return DefinitionError(f"expected {expected}, found {found}")

    def at_word(self, *words: str) -> bool:
        token = self.peek()
        return token is not None and token.is_word(*words)

    def at_operator(self, *operators: str) -> bool:
        token = self.peek()
        return token is not None and token.is_operator(*operators)

    def at_name(self) -> bool:
        token = self.peek()
        return token is not None and token.kind in (
            TokenKind.NAME,
            TokenKind.QUOTED,
            TokenKind.STRING,
        )

    def accept_word(self, *words: str) -> bool:
        """Steps over the words if all of them stand here, in this order."""
        here = [self.peek(ahead) for ahead in range(len(words))]
        found = all(token is not None and token.is_word(word) for token, word in zip(here, words, strict=True))
        self.at += len(words) if found else 0
        return found

    def accept_operator(self, operator: str) -> bool:
        found = self.at_operator(operator)
        self.at += found
        return found

    def skip_words(self, *words: str) -> None:
        while self.at_word(*words):
            self.at += 1

    def expect_word(self, *words: str) -> None:
        if not self.accept_word(*words):
            raise self.fail(" ".join(words))

    def expect_one_of(self, *words: str) -> str:
        """The one of these words that stands here."""
        if not self.at_word(*words):
            raise self.fail(" or ".join(words))
        return self.step().text.upper()

    def expect_operator(self, operator: str) -> None:
        if not self.accept_operator(operator):
            raise self.fail(operator)

    def expect_end(self) -> None:
        if self.peek() is not None:
            raise self.fail("the end of the statement")

    def step(self) -> Token:
        """The token here, which is stepped over."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def literal(self) -> None:
        """Steps over a literal or a word such as CURRENT_TIMESTAMP."""
        token = self.peek()
        if token is None or token.kind in (TokenKind.OPERATOR, TokenKind.PLACEHOLDER):
            raise self.fail("a literal")
        self.step()

    def name(self) -> str:
        """SQLite takes 'single quotes' for a name too."""
        if not self.at_name():
            raise self.fail("a name")
        return self.step().value

    def object_name(self) -> str:
        """The name after CREATE …, without IF NOT EXISTS and without the schema it may be qualified with."""
        self.accept_word("IF", "NOT", "EXISTS")
        name = self.name()
        return self.name() if self.accept_operator(".") else name

    def names(self) -> tuple[str, ...]:
        """A list of names in parentheses; a collation and a direction behind a name say nothing here."""
        return tuple(self.in_list(self._listed_name))

    def names_before(self, word: str) -> tuple[str, ...]:
        names = self.names()
        self.expect_word(word)
        return names

    def _listed_name(self) -> str:
        name = self.name()
        if self.accept_word("COLLATE"):
            self.name()
        self.skip_words("ASC", "DESC")
        return name

    def in_list(self, read: Callable[[], _Item]) -> list[_Item]:
        """What `read` finds between ( and ), separated by commas."""
        self.expect_operator("(")
        items = [read()]
        while self.accept_operator(","):
            items.append(read())
        self.expect_operator(")")
        return items

    def parenthesised(self) -> str:
        """The text between ( here and the ) that closes it."""
        self.expect_operator("(")
        inner = self.until(lambda token: token.is_operator(")"))
        self.expect_operator(")")
        return self.slice(inner)

    def until(self, ends: Callable[[Token], bool]) -> tuple[Token, ...]:
        """The tokens before the first one outside parentheses that `ends` accepts; at least one."""
        start, depth = self.at, 0
        while (token := self.peek()) is not None and not (depth == 0 and ends(token)):
            depth += token.is_operator("(") - token.is_operator(")")
            if depth < 0:
                break
            self.at += 1
        if depth > 0 or self.at == start:
            raise self.fail("an expression")
        return self.tokens[start : self.at]

    def rest(self) -> str:
        return self.slice(self.until(lambda _: False))

    def slice(self, part: Sequence[Token]) -> str:
        return self.sql[part[0].start : part[-1].end]
