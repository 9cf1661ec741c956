"""What PostgreSQL indexes in place of what SQLite indexes: columns, expressions, collations, predicates."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.core.model import Index, IndexColumn
from migrator.core.names import quote_identifier
from migrator.core.plan import TablePlan
from migrator.core.sql.one_table import translate_expression, translate_predicate
from migrator.core.sql.scope import TableScope, Untranslatable


@dataclass(frozen=True)
class IndexPart:
    sql: str
    column: str | None  # the target column where it is indexed as it is


def index_part(plan: TablePlan, part: IndexColumn, scope: TableScope) -> IndexPart:
    """One entry of an index. Raises Untranslatable."""
    direction = " DESC" if part.descending else ""
    if part.name is None:
        if part.expression is None:
            raise Untranslatable("its expression could not be read")
        translated = translate_expression(part.expression, scope)
        sql, column = f"({translated.sql})", None
    else:
        planned = plan.column(part.name)
        if planned is None:
            raise Untranslatable(f"column {part.name} is not carried")
        if planned.type.name == "json":
            raise Untranslatable(f"{part.name} is json, which PostgreSQL cannot index; jsonb can be")
        sql, column = quote_identifier(planned.target), planned.target
        if not planned.type.is_text:
            return IndexPart(sql + direction, None if direction else column)
    if part.collation == "NOCASE":
        # Folding under the collation C touches the 26 ASCII letters only, as NOCASE does.
        return IndexPart(f'lower({sql} COLLATE "C"){direction}', None)
    if part.collation == "RTRIM":
        return IndexPart(f"rtrim({sql}, ' '){direction}", None)
    if part.collation != "BINARY":
        raise Untranslatable(f"the application's own collation {part.collation}")
    return IndexPart(sql + direction, None if direction else column)


def index_predicate(index: Index, scope: TableScope) -> str:
    """The WHERE of a partial index, or nothing. Raises Untranslatable."""
    if index.where is None:
        return ""
    if not index.where:
        raise Untranslatable("its predicate could not be read")
    return f" WHERE {translate_predicate(index.where, scope)}"
