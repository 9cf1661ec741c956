"""The statements of a trigger's body: what each of them reads, and which rows it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql.lexer import tokens, with_tokens
from migrator.core.sql.parsing import parse_query, too_deep_is_declined
from migrator.core.sql.placeholders import Placeholders
from migrator.core.sql.rewriting import readable
from migrator.core.sql.split import split
from migrator.core.sql.trigger_text import Event

ROWS = ("new", "old")
ALL = "*"


@dataclass(frozen=True)
class Key:
    """`column` of the table that is changed is compared with a column of the row that the trigger is for."""

    column: str
    row: str
    of: str


@dataclass(frozen=True)
class Write:
    """`columns` are those that an UPDATE sets. plain: an INSERT that adds a row or fails. Names are folded."""

    table: str
    event: Event
    columns: frozenset[str] = frozenset()
    plain: bool = False
    keys: frozenset[Key] = frozenset()


@dataclass(frozen=True)
class Step:
    """`reads` are tables, `mentions` the names of columns whose values it uses, or ALL.

    `readable` is the text without what stands behind OR, and that is the resolution.
    """

    text: str
    readable: str
    tree: exp.Expr
    resolution: str | None
    reads: frozenset[str]
    mentions: frozenset[str]
    writes: tuple[Write, ...]

    @property
    def chooses(self) -> bool:
        return self.resolution is not None


def read_step(text: str) -> Step:
    """Raises Untranslatable."""
    [statement] = split(_with_quoted_action(text))
    readable_text, resolution = readable(statement, Placeholders())
    with too_deep_is_declined():
        tree = parse_query(readable_text)
    target = tree.this if isinstance(tree, exp.Insert | exp.Update | exp.Delete) else None
    table = target.this if isinstance(target, exp.Schema) else target
    reads = frozenset(fold(node.name) for node in tree.find_all(exp.Table) if node is not table)
    writes = tuple(_writes(tree, fold(table.name), resolution)) if isinstance(table, exp.Table) else ()
    return Step(text, readable_text, tree, resolution, reads, mentioned(tree), writes)


def _with_quoted_action(text: str) -> str:
    """RAISE("ROLLBACK", …): sqlglot takes the bare word for the beginning of a statement."""
    found = list(tokens(text))
    actions = [
        three
        for one, two, three in zip(found, found[1:], found[2:], strict=False)
        if one.is_word("RAISE") and two.is_operator("(") and three.is_word("ROLLBACK")
    ]
    return with_tokens(text, {token: f'"{token.text}"' for token in actions})


def mentioned(tree: exp.Expr) -> frozenset[str]:
    """The columns whose values are used; those that SET names on its left are not."""
    names = {fold(node.name) for node in tree.find_all(exp.Column) if not _is_set(node)}
    whole = any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
    return frozenset(names | {ALL} if whole else names)


def _is_set(node: exp.Column) -> bool:
    parent = node.parent
    return (
        isinstance(parent, exp.EQ)
        and parent.this is node
        and isinstance(parent.parent, exp.Update | exp.OnConflict)
        and parent.arg_key == "expressions"
    )


def _writes(tree: exp.Expr, table: str, resolution: str | None) -> Iterator[Write]:
    if isinstance(tree, exp.Delete):
        yield Write(table, Event.DELETE, keys=_keys(tree))
    elif isinstance(tree, exp.Update):
        yield Write(table, Event.UPDATE, _set(tree.expressions), keys=_keys(tree))
    else:
        conflict = tree.args.get("conflict")
        yield Write(table, Event.INSERT, plain=not resolution and not conflict)
        if conflict and conflict.expressions:
            yield Write(table, Event.UPDATE, _set(conflict.expressions))
        if resolution == "REPLACE":
            yield Write(table, Event.UPDATE, frozenset({ALL}))
            yield Write(table, Event.DELETE)


def _set(nodes: list[exp.Expr]) -> frozenset[str]:
    names = [column for node in nodes for column in _set_columns(node)]
    return frozenset(map(fold, names)) or frozenset({ALL})


def _set_columns(node: exp.Expr) -> list[str]:
    left = node.this
    return [item.name for item in left.expressions] if isinstance(left, exp.Tuple) else [left.name]


def _keys(tree: exp.Expr) -> frozenset[Key]:
    where = tree.args.get("where")
    return frozenset(filter(None, map(key_of, conjuncts(where.this)))) if where else frozenset()


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """What has to be true, all of it."""
    if isinstance(node, exp.Paren):
        yield from conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def key_of(node: exp.Expr) -> Key | None:
    if not isinstance(node, exp.EQ):
        return None
    sides = [node.this, node.expression]
    if not all(isinstance(side, exp.Column) for side in sides):
        return None
    here = [side for side in sides if fold(side.table) not in ROWS]
    there = [side for side in sides if fold(side.table) in ROWS]
    if len(here) != 1 or len(there) != 1:
        return None
    return Key(fold(here[0].name), fold(there[0].table), fold(there[0].name))
