"""Statements over tables that nobody knows: left as they are written where no types are needed to read them alike.

What only names columns, compares them and gives them values is let through. What SQLite decides by a column's type,
collation or key is declined with what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from migrator.core.names import SYSTEM_COLUMNS, quote_identifier, shorten, table_name
from migrator.core.sql.lexer import with_edits
from migrator.core.sql.postgres_statements import read_statement
from migrator.core.sql.postgres_tokens import Unreadable
from migrator.core.sql.postgres_tree import Node
from migrator.core.sql.scope import Untranslatable

NOTE = (
    "the table is not known: an argument must have its column's type, texts are compared by case, and a column of a"
    " result has its name in small letters"
)
_CLAUSES = {
    *("select", "from", "join", "left join", "on", "where", "order by", "limit", "offset"),
    *("insert into", "values", "update", "set", "delete from", "returning"),
}
_COMPARISONS = {f"binary {operator}" for operator in ("=", "<>", "<", ">", "<=", ">=")}
_CONSTANTS = ("mark", "number", "string")
_ROWIDS = ('"rowid"', '"oid"', '"_rowid_"')


def without_tables(written: str, results: tuple[str, ...]) -> str:
    """`written` has marks for its placeholders. Raises Untranslatable, with what would have to be known."""
    try:
        tree = read_statement(written)
    except Unreadable as error:
        raise _unknown(f"what {error} is") from error
    except RecursionError as error:
        raise Untranslatable("it is nested too deeply") from error
    reader = _Statement(list(results))
    reader.read(tree, outermost=True)
    return with_edits(written, reader.edits)


def _unknown(what: str) -> Untranslatable:
    return Untranslatable(f"the table is not known, so neither is {what}: name the database with --db", "no-table")


@dataclass
class _Statement:
    """What has to be written besides; `results` are the texts of the results of the outermost statement."""

    results: list[str]
    edits: dict[int, str] = field(default_factory=dict)

    def read(self, node: Node, *, outermost: bool = False) -> None:
        for clause in node.children:
            phrase = clause.kind.removeprefix("clause ")
            if phrase not in _CLAUSES:
                raise _unknown(f"what {phrase.upper()} does")
            if phrase == "insert into" and len(clause.children) < 2:
                raise _unknown("the order of its columns")
            if phrase == "limit" and len(clause.children) > 1:
                raise _unknown("what LIMIT with two numbers is")
            for item in clause.children:
                self._item(phrase, item, outermost=outermost)

    def _item(self, phrase: str, item: Node, *, outermost: bool) -> None:
        if phrase in ("where", "on"):
            self._condition(item)
        elif phrase in ("select", "returning"):
            self._result(item, outermost=outermost)
        elif phrase == "order by":
            self._value(item.children[0])
            if "nulls" not in item.kind:
                self.edits[item.end] = " NULLS LAST" if "desc" in item.kind else " NULLS FIRST"
        elif phrase == "set":
            self._name(item.children[0])
            self._value(item.children[1])
        elif phrase in ("from", "join", "left join", "insert into", "update", "delete from") and item.kind != "list":
            self._table(item)
        else:
            for part in item.children if item.kind == "list" else [item]:
                self._value(part)

    def _table(self, item: Node) -> None:
        for name in item.children if item.kind == "as" else [item]:
            self._name(name)
            if table_name(name.last_part[1:-1]) != name.last_part[1:-1]:
                raise _unknown(f"what {name.last_part} is called")

    def _result(self, item: Node, *, outermost: bool) -> None:
        text = self.results.pop(0) if outermost and self.results else ""
        inner = item.children[0] if item.kind == "as" else item
        if inner.kind == "star":
            return
        if not _is_count(inner) and not (inner.kind == "number" and inner.text.isdigit()):
            self._name(inner)
        if item.kind != "as" and inner.kind != "name" and text:
            if shorten(text) != text:
                raise _unknown("the name of a result")
            self.edits[item.span[1]] = f" AS {quote_identifier(text)}"

    def _condition(self, node: Node) -> None:
        if node.kind in ("binary and", "binary or", "not"):
            for part in node.children:
                self._condition(part)
        elif node.kind == "exists":
            self.read(node.children[0].children[0])
        elif node.kind in _COMPARISONS:
            self._compared(node.children)
        elif node.kind in ("is null", "is not null", "between", "in"):
            self._name(node.children[0])
            for part in node.children[1:]:
                self._members(part)
        else:
            raise _unknown("the type of what stands as a condition")

    def _compared(self, sides: Sequence[Node]) -> None:
        """With a column, or whole numbers with each other."""
        if not any(side.kind == "name" for side in sides) and not all(side.text.isdigit() for side in sides):
            raise _unknown("the type of a comparison")
        for side in sides:
            self._value(side)

    def _members(self, node: Node) -> None:
        if node.kind == "query":
            self.read(node.children[0])
            return
        for part in node.children if node.kind == "list" else [node]:
            self._value(part)

    def _value(self, node: Node) -> None:
        """A column, or what gets its type from a column."""
        if node.kind == "name":
            self._name(node)
        elif node.kind not in _CONSTANTS and not (node.kind == "word" and node.text == "NULL"):
            raise _unknown("the type of an expression")

    def _name(self, node: Node) -> None:
        """One that both engines find. In quotes it would be a string for SQLite where there is no such column."""
        if node.kind != "name":
            raise _unknown("the type of an expression")
        if node.quoted:
            raise _unknown("whether a name in quotes is a column")
        if node.last_part in _ROWIDS or node.last_part[1:-1] in SYSTEM_COLUMNS:
            raise _unknown("which column carries the rowid")


def _is_count(node: Node) -> bool:
    return node.kind == "call" and [child.kind for child in node.children] == ["function", "star"]
