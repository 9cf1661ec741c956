"""Statements of a trigger that make a value of another table anew: SET n = (SELECT count(*) FROM comments WHERE …).

What such a statement leaves behind is what the last one of them leaves behind for that row of the other table, and no
later change of the statement concerns it: so it does not matter whether it runs behind each row or behind all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql.trigger_steps import ROWS, Step, conjuncts
from migrator.core.sql.trigger_text import TriggerText


@dataclass(frozen=True)
class Recount:
    """Rows of `table` are counted again whose `key` is equal to `column` of the trigger's table, which is `counted`."""

    step: Step
    table: str
    key: str
    counted: str
    column: str
    rows: frozenset[str]

    @property
    def wording(self) -> str:
        """The same for statements that differ in nothing but the row that they are about."""
        tree = self.step.tree.copy()
        for column in tree.find_all(exp.Column):
            if fold(column.table) in ROWS:
                column.set("table", exp.to_identifier("row"))
        return tree.sql(dialect="sqlite")


def recounts(text: TriggerText, steps: tuple[Step, ...]) -> tuple[Recount, ...]:
    """Those that look at every row that the change concerns, as it was and as it is."""
    if text.condition is not None:
        return ()
    found = [recount for step in steps for recount in _recount(step, fold(text.table))]
    covered: dict[str, frozenset[str]] = {}
    for recount in found:
        covered[recount.wording] = covered.get(recount.wording, frozenset()) | recount.rows
    return tuple(recount for recount in found if covered[recount.wording] >= {*text.rows})


def _recount(step: Step, counted: str) -> Iterator[Recount]:
    tree, where = step.tree, step.tree.args.get("where")
    if not isinstance(tree, exp.Update) or step.resolution or not where or not step.writes:
        return
    table = step.writes[0].table
    if table == counted or any(tree.args.get(key) for key in ("from_", "with_", "returning")):
        return
    found = _found_by(where.this, table)
    if found is None:
        return
    key, column, rows = found
    if all(_is_count(node, table, key, counted, column, one=len(rows) == 1) for node in tree.expressions):
        yield Recount(step, table, key, counted, column, rows)


def _found_by(node: exp.Expr, table: str) -> tuple[str, str, frozenset[str]] | None:
    """The key, the column of the row, and which rows: of `key = NEW.column` or `key IN (OLD.column, NEW.column)`."""
    if isinstance(node, exp.Paren):
        return _found_by(node.this, table)
    if isinstance(node, exp.EQ):
        sides = [node.this, node.expression]
        here, there = sides if not _is_row(sides[0]) else sides[::-1]
        members = [there]
    elif isinstance(node, exp.In) and not node.args.get("query"):
        here, members = node.this, node.expressions
    else:
        return None
    columns = {fold(member.name) for member in members}
    if not _is_of(here, table) or not all(map(_is_row, members)) or len(columns) != 1:
        return None
    return fold(here.name), columns.pop(), frozenset(fold(member.table) for member in members)


def _is_row(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and fold(node.table) in ROWS


def _is_of(node: exp.Expr, table: str) -> bool:
    return isinstance(node, exp.Column) and fold(node.table) in ("", table)


def _is_count(node: exp.Expr, table: str, key: str, counted: str, column: str, *, one: bool) -> bool:
    """Whether a SET takes its value from queries over the rows that belong to the one that is changed."""
    if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
        return False
    queries = list(node.expression.find_all(exp.Select))
    inside = {id(name) for query in queries for name in query.find_all(exp.Column)}
    outside = [name for name in node.expression.find_all(exp.Column) if id(name) not in inside]
    return bool(queries) and not outside and all(_is_over(item, table, key, counted, column, one) for item in queries)


def _is_over(query: exp.Select, table: str, key: str, counted: str, column: str, one: bool) -> bool:
    tables = [fold(item.name) for item in query.find_all(exp.Table)]
    source, where = query.args.get("from_"), query.args.get("where")
    if (
        tables != [counted]
        or source is None
        or where is None
        or source.this.alias
        or len(list(query.find_all(exp.Select))) > 1
    ):
        return False
    links = [node for node in conjuncts(where.this) if _links(node, table, key, counted, column, one)]
    linking = {id(name) for node in links for name in node.find_all(exp.Column)}
    others = [name for name in query.find_all(exp.Column) if id(name) not in linking]
    return bool(links) and all(_is_of(name, counted) for name in others)


def _links(node: exp.Expr, table: str, key: str, counted: str, column: str, one: bool) -> bool:
    """Whether it says that the row belongs to the one that is changed."""
    if not isinstance(node, exp.EQ):
        return False
    for mine, other in ((node.this, node.expression), (node.expression, node.this)):
        if _is_of(mine, counted) and fold(mine.name) == column and isinstance(other, exp.Column):
            by_key = fold(other.table) == table and fold(other.name) == key
            by_row = one and _is_row(other) and fold(other.name) == column
            if by_key or by_row:
                return True
    return False
