"""Expressions as PostgreSQL reads them, by its precedences.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-PRECEDENCE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from migrator.core.sql.postgres_tokens import KEYWORDS, PgToken, Unreadable, pg_tokens
from migrator.core.sql.postgres_tree import (
    AND,
    ATOM,
    CAST,
    COLLATE,
    COMPARISON,
    IS,
    NOT,
    OR,
    OTHER,
    PATTERN,
    PRODUCT,
    SIGN,
    SUM,
    ZONE,
    Node,
)

_COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=", "==")
_PATTERNS = ("like", "ilike", "glob", "match", "regexp")
_CHAINS = ("binary and", "binary or", "binary ||")
_SAME_TYPE = {"int": "integer", "int4": "integer", "int8": "bigint", "double precision": "float8", "bool": "boolean"}


class ExpressionReader(ABC):
    """Every method steps over what it reads, or raises Unreadable."""

    def __init__(self, sql: str) -> None:
        self.tokens = list(pg_tokens(sql))
        self.at = 0

    # Steps

    def peek(self, ahead: int = 0) -> PgToken | None:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def step(self) -> PgToken:
        token = self.peek()
        if token is None:
            raise self.unexpected()
        self.at += 1
        return token

    def unexpected(self) -> Unreadable:
        token = self.peek()
        return Unreadable(f"{token.text} at character {token.start + 1}" if token else "the end of the statement")

    def accept(self, *texts: str) -> PgToken | None:
        token = self.peek()
        if token is None or not token.is_one_of(*texts):
            return None
        return self.step()

    def accept_words(self, *words: str) -> bool:
        found = self.are_next(words)
        self.at += len(words) if found else 0
        return found

    def are_next(self, words: Sequence[str]) -> bool:
        here = self.tokens[self.at : self.at + len(words)]
        return len(here) == len(words) and all(token.word == word for token, word in zip(here, words, strict=True))

    def at_word(self, *words: str) -> bool:
        token = self.peek()
        return token is not None and token.is_word(*words)

    def expect(self, text: str) -> PgToken:
        token = self.accept(text)
        if token is None:
            raise self.unexpected()
        return token

    def node(self, kind: str, start: int, *children: Node, level: int = ATOM) -> Node:
        """Of all that was read from the token at `start` on."""
        return Node(kind, children, start=self.tokens[start].start, end=self.tokens[self.at - 1].end, level=level)

    @abstractmethod
    def query(self) -> Node:
        """A statement in parentheses."""

    @abstractmethod
    def in_parentheses(self) -> Node:
        """A list of expressions."""

    @abstractmethod
    def window(self) -> list[Node]:
        """The clauses behind OVER."""

    # Expressions

    def expression(self, least: int = 0) -> Node:
        """What binds as tightly as `least` or more."""
        start = self.at
        found = self._prefixed()
        while (longer := self._longer(found, start, least)) is not None:
            found = longer
        return found

    def _prefixed(self) -> Node:
        start = self.at
        if self.accept_words("not"):
            return self.node("not", start, self.expression(NOT), level=NOT)
        if token := self.accept("-", "+"):
            return self.node(f"sign {token.text}", start, self.expression(SIGN), level=SIGN)
        if self.accept("~"):
            return self.node("prefix ~", start, self.expression(OTHER + 1), level=OTHER)
        return self._atom()

    def _longer(self, left: Node, start: int, least: int) -> Node | None:
        """The expression with the operator that follows; None where none does that binds so tightly."""
        token = self.peek()
        if token is None:
            return None
        if token.kind == "operator":
            level = _level_of(token.text)
            return self.read_symbol(left, start, token, level) if level >= least else None
        level, read = _SUFFIXES.get(token.word or token.text, (-1, None))
        return read(self, left, start) if read is not None and level >= least else None

    def _binary(self, kind: str, left: Node, start: int, level: int, right: int) -> Node:
        """`right` is what the right operand binds at least. Of a chain all operands are children of one node."""
        if kind in _CHAINS and left.kind == kind and left.around is None:
            return self.node(kind, start, *left.children, self.expression(right), level=level)
        return self.node(kind, start, left, self.expression(right), level=level)

    def read_symbol(self, left: Node, start: int, token: PgToken, level: int) -> Node:
        self.step()
        name = "<>" if token.text == "!=" else token.text
        found = self._binary(f"binary {name}", left, start, level, level + 1)
        following = self.peek()
        if level == COMPARISON and following and following.kind == "operator" and following.text in _COMPARISONS:
            raise self.unexpected()
        return found

    def read_and(self, left: Node, start: int) -> Node | None:
        self.step()
        return self._binary("binary and", left, start, AND, AND + 1)

    def read_or(self, left: Node, start: int) -> Node | None:
        self.step()
        return self._binary("binary or", left, start, OR, OR + 1)

    def read_zone(self, left: Node, start: int) -> Node | None:
        found = self.accept_words("at", "time", "zone")
        return self._binary("binary at time zone", left, start, ZONE, ZONE + 1) if found else None

    def read_is(self, left: Node, start: int) -> Node | None:
        self.step()
        negated = "is not" if self.accept_words("not") else "is"
        if self.accept_words("distinct", "from"):
            return self._binary(f"binary {negated} distinct from", left, start, IS, IS + 1)
        for word in ("null", "true", "false", "unknown"):
            if self.accept_words(word):
                return self.node(f"{negated} {word}", start, left, level=IS)
        return self._binary(f"binary {negated}", left, start, IS, IS + 1)

    def read_pattern(self, left: Node, start: int) -> Node | None:
        """IN, BETWEEN and LIKE, each also with NOT, which then stands around it."""
        before = self.at
        negated = self.accept_words("not")
        found = self._pattern(left, start)
        if found is None:
            self.at = before
            return None
        return replace(found, kind="not", children=(found,), level=NOT) if negated else found

    def _pattern(self, left: Node, start: int) -> Node | None:
        if self.accept_words("in"):
            query = (token := self.peek(1)) is not None and token.is_word("select", "with", "values")
            return self.node("in", start, left, self.query() if query else self.in_parentheses(), level=PATTERN)
        if self.accept_words("between"):
            low = self.expression(PATTERN + 1)
            if not _stands_before_and(low) or not self.accept_words("and"):
                raise self.unexpected()
            high = self.expression(PATTERN + 1)
            return self.node("between", start, left, low, high, level=PATTERN)
        for word in _PATTERNS:
            if self.accept_words(word):
                found = self._binary(f"binary {word}", left, start, PATTERN, PATTERN + 1)
                return self._escaped(found)
        return None

    def _escaped(self, found: Node) -> Node:
        if not self.accept_words("escape"):
            return found
        children = (*found.children, self.expression(PATTERN + 1))
        return replace(found, kind=f"{found.kind} escape", children=children, end=self.tokens[self.at - 1].end)

    def read_collate(self, left: Node, start: int) -> Node | None:
        self.step()
        return self.node("collate", start, left, self._name(), level=COLLATE)

    def read_cast(self, left: Node, start: int) -> Node | None:
        self.step()
        return self.node(f"cast {self._type()}", start, left, level=CAST)

    def _type(self) -> str:
        words = [self._type_word()]
        while self.at_word("precision", "varying"):
            words.append(self._type_word())
        name = " ".join(words)
        return _SAME_TYPE.get(name, name)

    def _type_word(self) -> str:
        token = self.step()
        if token.kind != "word":
            raise self.unexpected()
        return token.text.lower()

    # What stands alone

    def _atom(self) -> Node:
        start, token = self.at, self.step()
        if token.is_one_of("("):
            return self._parenthesised(start)
        if token.kind in ("mark", "number", "string"):
            if (behind := self.peek()) is not None and behind.kind == "string":
                raise self.unexpected()
            return replace(self.node(token.kind, start), text=token.text)
        if token.is_one_of("*"):
            return self.node("star", start)
        self.at = start
        if token.is_word("case"):
            return self._case()
        if token.is_word("exists", "cast") or (token.kind == "word" and self._is_call()):
            return self._call()
        return self._name()

    def _is_call(self) -> bool:
        ahead = 1
        while (dot := self.peek(ahead)) is not None and dot.is_one_of("."):
            ahead += 2
        return dot is not None and dot.is_one_of("(")

    def _parenthesised(self, start: int) -> Node:
        if self.at_word("select", "with", "values"):
            self.at = start
            return self.query()
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        self.expect(")")
        if len(items) > 1:
            return self.node("row", start, *items)
        return replace(items[0], around=(self.tokens[start].start, self.tokens[self.at - 1].end))

    def _case(self) -> Node:
        start = self.at
        self.step()
        parts = [] if self.at_word("when") else [self.expression()]
        kind = "case of" if parts else "case"
        while self.accept_words("when"):
            parts.append(self.expression())
            if not self.accept_words("then"):
                raise self.unexpected()
            parts.append(self.expression())
        if self.accept_words("else"):
            kind += " else"
            parts.append(self.expression())
        if not self.accept_words("end"):
            raise self.unexpected()
        return self.node(kind, start, *parts)

    def _call(self) -> Node:
        start = self.at
        if self.accept_words("exists"):
            return self.node("exists", start, self.query())
        if self.accept_words("cast"):
            return self._written_cast(start)
        function = self._function()
        self.expect("(")
        kind, arguments = "call", list[Node]()
        if self.accept_words("distinct"):
            kind = "call distinct"
        while not self.accept(")"):
            if arguments and self.accept_words("from"):
                kind += " from"
            elif arguments:
                self.expect(",")
            arguments.append(self.expression())
        called = self.node(kind, start, function, *arguments)
        return self._over(called, start) if self.accept_words("over") else called

    def _written_cast(self, start: int) -> Node:
        self.expect("(")
        inner = self.expression()
        if not self.accept_words("as"):
            raise self.unexpected()
        kind = f"cast {self._type()}"
        self.expect(")")
        return self.node(kind, start, inner)

    def _function(self) -> Node:
        start, words = self.at, [self._type_word()]
        while self.accept("."):
            words.append(self._type_word())
        return replace(self.node("function", start), text=".".join(words))

    def _over(self, called: Node, start: int) -> Node:
        self.expect("(")
        clauses, words = self.window(), list[str]()
        while not self.accept(")"):
            token = self.step()
            if token.kind not in ("word", "number"):
                raise self.unexpected()
            words.append(token.text.lower())
        return self.node(" ".join(["over", *words]), start, called, *clauses)

    def _name(self, *, any_word: bool = False) -> Node:
        """A column, a table or an alias, with what stands before it; or a word such as NULL."""
        start, first = self.at, self.step()
        if first.kind == "word" and first.text.lower() in KEYWORDS and not any_word:
            return replace(self.node("word", start), text=first.text.upper())
        parts, free, quoted = [_meaning(first)], first.free, first.kind == "quoted"
        while self.accept("."):
            token = self.step()
            parts.append("*" if token.is_one_of("*") else _meaning(token))
            quoted = quoted or token.kind == "quoted"
        return replace(self.node("name", start), text=".".join(parts), free=free, quoted=quoted)


# What may follow an expression, by its first word: how tightly it binds, and what reads it. Operators have their own.
_SUFFIXES: Mapping[str, tuple[int, Callable[[ExpressionReader, Node, int], Node | None]]] = {
    "::": (CAST, ExpressionReader.read_cast),
    "collate": (COLLATE, ExpressionReader.read_collate),
    "at": (ZONE, ExpressionReader.read_zone),
    **dict.fromkeys(("not", "in", "between", *_PATTERNS), (PATTERN, ExpressionReader.read_pattern)),
    "is": (IS, ExpressionReader.read_is),
    "and": (AND, ExpressionReader.read_and),
    "or": (OR, ExpressionReader.read_or),
}


def _level_of(operator: str) -> int:
    if operator in _COMPARISONS:
        return COMPARISON
    return {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT}.get(operator, OTHER)


def _meaning(token: PgToken) -> str:
    """A name in quotes; one without is in lower case. Raises Unreadable for what is no name."""
    if token.kind == "quoted":
        return token.text
    if token.kind != "word":
        raise Unreadable(f"{token.text} is no name")
    folded = "".join(letter.lower() if letter.isascii() else letter for letter in token.text)
    return f'"{folded}"'


def _stands_before_and(node: Node) -> bool:
    """Whether BETWEEN takes it as its first bound: b_expr in PostgreSQL's grammar."""
    if node.around or node.level == ATOM:
        return True
    return node.kind not in ("collate", "binary at time zone") and all(map(_stands_before_and, node.children))
