"""The body of a trigger → PL/pgSQL, statement by statement; NEW and OLD are rows behind all other names.

A name that is both a column's and PL/pgSQL's own is the column's: #variable_conflict use_column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.sql.parsing import parse_expression, too_deep_is_declined
from migrator.core.sql.postgres_tokens import unmarked
from migrator.core.sql.query import FromClause, Surroundings, require_args
from migrator.core.sql.query_emitter import QueryEmitter
from migrator.core.sql.scope import TableScope, Untranslatable
from migrator.core.sql.statements import translate_statement
from migrator.core.sql.trigger_steps import ROWS, Step
from migrator.core.sql.trigger_text import Event, Time, TriggerText
from migrator.core.sql.values import Value
from migrator.core.sql.views import Select, translate_query
from migrator.core.sql.wording import worded

RAISED = "23000"  # integrity_constraint_violation: an IntegrityError to programs, as it is in SQLite
_RAISE = "RAISE"


@dataclass(frozen=True)
class Body:
    """`condition` belongs into CREATE TRIGGER; `block` is what is between the function's dollar quotes."""

    condition: str | None
    block: str


def translate_body(text: TriggerText, steps: Sequence[Step], row: TableScope, around: Surroundings) -> Body:
    """`row` is the table as NEW and OLD are seen. Raises Untranslatable."""
    around = replace(around, rows=_Rows(dict.fromkeys(text.rows, row)))
    with too_deep_is_declined():
        condition = _condition(text, around)
        lines = [line for step in steps for line in _Writer(text, step, around).lines()]
    if condition is not None and _stays_inside(text):
        lines, condition = [f"IF {condition} THEN", *(f"    {line}" for line in lines), "END IF;"], None
    return Body(
        condition,
        "\n".join(
            [
                "",
                "#variable_conflict use_column",
                "BEGIN",
                *(f"    {line}" for line in (*lines, f"RETURN {_returned(text)};")),
                "END",
                "",
            ]
        ),
    )


def _returned(text: TriggerText) -> str:
    """The row that PostgreSQL goes on with; NULL where nothing is to come: SQLite counts no change of a view."""
    if text.time is not Time.BEFORE:
        return "NULL"
    return "OLD" if text.event is Event.DELETE else "NEW"


def _stays_inside(text: TriggerText) -> bool:
    """PostgreSQL's WHEN knows no queries, and a view's trigger has none."""
    assert text.condition is not None
    return text.time is Time.INSTEAD or any(parse_expression(text.condition).find_all(exp.Select))


def _condition(text: TriggerText, around: Surroundings) -> str | None:
    if text.condition is None:
        return None
    return unmarked(_emitter(around).condition(parse_expression(text.condition)))


def _emitter(around: Surroundings) -> QueryEmitter:
    return Select(exp.Select(), around, None).plain


class _Rows(FromClause):
    """NEW and OLD, which are reached by their full names only."""

    def __init__(self, rows: Mapping[str, TableScope]) -> None:
        super().__init__(None)
        for name, table in rows.items():
            self.add(name, table, nullable=False)
        self.crowded = True

    def column(self, table: str | None, name: str, *, hidden: frozenset[str] = frozenset()) -> Value | None:
        if table is not None and fold(table) in self.tables and self.find(table, name) is None:
            raise Untranslatable(f"{table.upper()}.{name}, which PostgreSQL does not know at that time")
        return super().column(table, name, hidden=hidden) if table is not None else None


@dataclass(frozen=True)
class _Writer:
    """One statement of the body."""

    text: TriggerText
    step: Step
    around: Surroundings

    def lines(self) -> Iterator[str]:
        tree = self.step.tree
        if any(fold(table.alias_or_name) in ROWS for table in tree.find_all(exp.Table)):
            raise Untranslatable("a table that is called NEW or OLD")
        if isinstance(tree, exp.Select):
            yield from self._raising(tree)
            return
        sql = translate_statement(self.step.readable, self.around, self.step.resolution)
        yield f"{worded(self.step.text, sql)};"

    def _raising(self, tree: exp.Select) -> Iterator[str]:
        """SELECT RAISE(…) WHERE …, or with a CASE that says when."""
        if len(tree.expressions) != 1:
            raise Untranslatable("a SELECT in a trigger that is not one RAISE()")
        value = tree.expressions[0].unnest()
        if not is_raise(value) and not (isinstance(value, exp.Case) and not tree.args.get("from_")):
            raise Untranslatable("a SELECT in a trigger that is not one RAISE()")
        if tree.args.get("from_"):
            found = tree.copy()
            found.set("expressions", [exp.Literal.number(1)])
            query = unmarked(translate_query(found, self.around, None).sql)
            yield from self._if([f"EXISTS ({query})"], [self._raise(value)])
            return
        require_args(tree, "expressions", "where")
        inner = list(self._case(value)) if isinstance(value, exp.Case) else [self._raise(value)]
        where = tree.args.get("where")
        yield from self._if([self._true(where.this)], ["\n    ".join(inner)]) if where else inner

    def _case(self, node: exp.Case) -> Iterator[str]:
        require_args(node, "this", "ifs", "default")
        conditions = [self._when(node.this, branch.this) for branch in node.args["ifs"]]
        results = [branch.args["true"].unnest() for branch in node.args["ifs"]]
        if node.args.get("default"):
            results.append(node.args["default"].unnest())
        if not any(map(is_raise, results)):
            raise Untranslatable("a SELECT in a trigger that raises nothing")
        yield from self._if(conditions, [self._result(result) for result in results])

    def _when(self, subject: exp.Expr | None, node: exp.Expr) -> str:
        if subject is None:
            return self._true(node)
        emitter = _emitter(self.around)
        return unmarked(emitter.compare(emitter.value(subject), "=", emitter.value(node)).sql)

    def _result(self, node: exp.Expr) -> str:
        if is_raise(node):
            return self._raise(node)
        if isinstance(node, exp.Literal | exp.Null):
            return "NULL;"
        raise Untranslatable("a SELECT in a trigger that has another result than RAISE()")

    def _true(self, node: exp.Expr) -> str:
        return unmarked(_emitter(self.around).condition(node))

    @staticmethod
    def _if(conditions: Sequence[str], results: Sequence[str]) -> Iterator[str]:
        for place, (condition, result) in enumerate(zip(conditions, results, strict=False)):
            yield f"{'ELSIF' if place else 'IF'} {condition} THEN"
            yield f"    {result}"
        if len(results) > len(conditions):
            yield "ELSE"
            yield f"    {results[-1]}"
        yield "END IF;"

    def _raise(self, node: exp.Expr) -> str:
        action, *message = node.expressions
        kind = action.name.upper()
        if kind == "IGNORE":
            return "RETURN NULL;"
        if kind != "ABORT":
            raise Untranslatable(f"RAISE({kind}): PostgreSQL takes back the statement, no less and no more")
        if len(message) != 1 or not isinstance(message[0], exp.Literal) or not message[0].is_string:
            raise Untranslatable("RAISE() with a message that is not a text")
        return f"RAISE EXCEPTION USING MESSAGE = {quote_literal(message[0].this)}, ERRCODE = '{RAISED}';"


def is_raise(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() == _RAISE and bool(node.expressions)


def quoted(block: str) -> str:
    """The block in dollar quotes that it does not hold."""
    tag = next(tag for tag in _tags() if f"${tag}$" not in block)
    return f"${tag}${block}${tag}$"


def _tags() -> Iterator[str]:
    number = 0
    while True:
        yield f"trigger{number or ''}"
        number += 1


def function(name: str, body: Body, active: str | None) -> str:
    """CREATE FUNCTION. `active` is the setting that says for as long as it runs that it does."""
    settings = ["SET search_path FROM CURRENT", *([f"SET {active} TO 'on'"] if active else [])]
    head = f"CREATE OR REPLACE FUNCTION {quote_identifier(name)}() RETURNS trigger LANGUAGE plpgsql"
    return "\n".join([head, *settings, f"AS {quoted(body.block)}"])
