"""Statements as PostgreSQL reads them. Only what a translation writes, and what looks like it, is read."""

from __future__ import annotations

from dataclasses import replace

from migrator.core.sql.postgres_expressions import ExpressionReader
from migrator.core.sql.postgres_tokens import KEYWORDS, NEED_AS, PgToken
from migrator.core.sql.postgres_tree import Node

_PHRASES = (
    "select distinct", "select all", "select", "from", "where", "group by", "having", "order by", "limit", "offset",
    "union all", "union", "intersect", "except", "insert into", "insert or replace into", "insert or ignore into",
    "insert or abort into", "replace into", "values", "default values", "on conflict", "do update set",
    "do nothing", "update", "set", "delete from", "returning", "with recursive", "with", "left outer join",
    "left join", "inner join", "cross join", "join", "on", "using", "partition by",
)  # fmt: skip
_CLAUSES: dict[str, list[tuple[str, ...]]] = {}  # by their first word, longer ones before shorter ones
for _phrase in _PHRASES:
    _CLAUSES.setdefault(_phrase.partition(" ")[0], []).append(tuple(_phrase.split()))
_SAME_CLAUSE = {"select all": "select", "left outer join": "left join", "inner join": "join"}
_WITHOUT_ITEMS = ("union all", "union", "intersect", "except", "default values", "do nothing")
INSERTS = ("insert into", "insert or replace into", "insert or ignore into", "insert or abort into", "replace into")


def read_statement(sql: str) -> Node:
    """Raises Unreadable."""
    reader = _Reader(sql)
    found = reader.statement()
    if reader.peek() is not None:
        raise reader.unexpected()
    return found


class _Reader(ExpressionReader):
    # Statements

    def statement(self) -> Node:
        start, clauses = self.at, list[Node]()
        while (phrase := self._phrase()) is not None:
            clauses.append(self._clause(phrase))
        if not clauses:
            raise self.unexpected()
        return self.node("statement", start, *_commas_for_cross_joins(clauses))

    def window(self) -> list[Node]:
        clauses = []
        while (phrase := self._phrase()) is not None:
            clauses.append(self._clause(phrase))
        return clauses

    def _phrase(self) -> tuple[str, int] | None:
        start = self.at
        token = self.peek()
        for words in _CLAUSES.get(token.word, ()) if token is not None else ():
            if self.accept_words(*words):
                phrase = " ".join(words)
                return _SAME_CLAUSE.get(phrase, phrase), start
        return None

    def _clause(self, found: tuple[str, int]) -> Node:
        phrase, start = found
        if phrase in _WITHOUT_ITEMS:
            return self.node(f"clause {phrase}", start)
        if phrase in INSERTS:
            items = self._destination()
        elif phrase == "on conflict":
            token = self.peek()
            items = [self.in_parentheses()] if token is not None and token.is_one_of("(") else []
        else:
            items = [self._item(phrase)]
            while self.accept(","):
                items.append(self._item(phrase))
        return self.node(f"clause {phrase}", start, *items)

    def _destination(self) -> list[Node]:
        start = self.at
        table = self._name()
        if self.accept_words("as"):
            table = self.node("as", start, table, self._name())
        token = self.peek()
        return [table, self.in_parentheses()] if token is not None and token.is_one_of("(") else [table]

    def _item(self, phrase: str) -> Node:
        if phrase in ("values", "using"):
            return self.in_parentheses()
        if phrase in ("with", "with recursive"):
            return self._common_table()
        if phrase in ("set", "do update set"):
            return self._assignment()
        start = self.at
        is_result = phrase in ("select", "select distinct", "returning")
        found = self._aliased(self.expression(), start, any_word=is_result)
        return self._ordered(found, start) if phrase == "order by" else found

    def _common_table(self) -> Node:
        start, parts = self.at, [self._name()]
        if (token := self.peek()) is not None and token.is_one_of("("):
            parts.append(self.in_parentheses())
        if not self.accept_words("as"):
            raise self.unexpected()
        return self.node("common table", start, *parts, self.query())

    def query(self) -> Node:
        start = self.at
        self.expect("(")
        inner = self.statement()
        self.expect(")")
        return self.node("query", start, inner)

    def _assignment(self) -> Node:
        start, target = self.at, self._name()
        self.expect("=")
        return self.node("assignment", start, target, self.expression())

    def _aliased(self, found: Node, start: int, *, any_word: bool) -> Node:
        """any_word: a keyword behind AS is a name, as that of a result is."""
        token = self.peek()
        if self.accept_words("as"):
            name = self._name(any_word=any_word)
        elif token is not None and (token.kind == "quoted" or self._is_bare_alias(token)):
            name = self._name()
        else:
            return found
        return self.node("as", start, found, name)

    def _is_bare_alias(self, token: PgToken) -> bool:
        if token.kind != "word" or token.text.lower() in KEYWORDS | NEED_AS:
            return False
        begins = any(self.are_next(words) for words in _CLAUSES.get(token.word, ()))
        return not begins and not token.is_word("nulls", "rows", "range", "groups")

    def _ordered(self, found: Node, start: int) -> Node:
        kind = "order"
        if self.accept_words("desc"):
            kind += " desc"
        else:
            self.accept_words("asc")
        for place in ("first", "last"):
            kind += f" nulls {place}" if self.accept_words("nulls", place) else ""
        return self.node(kind, start, found)

    def in_parentheses(self) -> Node:
        start = self.at
        self.expect("(")
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        self.expect(")")
        return self.node("list", start, *items)


def _commas_for_cross_joins(clauses: list[Node]) -> list[Node]:
    """`FROM a CROSS JOIN b` is `FROM a, b` where there is no other join."""
    if any(clause.kind in ("clause join", "clause left join") for clause in clauses):
        return clauses
    found: list[Node] = []
    for clause in clauses:
        if clause.kind == "clause cross join" and found and found[-1].kind == "clause from":
            found[-1] = replace(found[-1], children=found[-1].children + clause.children, end=clause.end)
        else:
            found.append(clause)
    return found
