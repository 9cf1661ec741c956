"""Expressions in the definition of a table: generated columns, CHECKs, and what indexes hold."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.sql import values as v
from migrator.core.sql.expressions import Emitter
from migrator.core.sql.parsing import parse_expression, too_deep_is_declined
from migrator.core.sql.scope import TableScope, Translation
from migrator.core.sql.values import Value


def translate_expression(text: str, table: TableScope) -> Translation:
    """A generated column's or an index's expression: immutable in PostgreSQL. Raises Untranslatable."""
    with too_deep_is_declined():
        value = Emitter(_OneTable(table)).root(parse_expression(text))
    return Translation(value.sql, value.kind)


def translate_predicate(text: str, table: TableScope) -> str:
    """A CHECK's or a partial index's condition: true where it was not 0, NULL where it was. Raises Untranslatable."""
    with too_deep_is_declined():
        return predicate(parse_expression(text), table)


def predicate(node: exp.Expr, table: TableScope) -> str:
    """The same of what has been parsed. Raises Untranslatable."""
    return Emitter(_OneTable(table)).condition(node)


class _OneTable:
    """The columns of one table, by their names alone or behind the table's."""

    def __init__(self, table: TableScope) -> None:
        self._columns = table.columns

    def column(self, table: str | None, name: str) -> Value | None:
        scope = self._columns.get(fold(name))
        # What makes a text of a time is not immutable.
        return v.column_value(replace(scope, picture=None)) if scope else None
