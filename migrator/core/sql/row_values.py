"""Row values: (a, b) = (1, 2), (a, b) > (?, ?), (a, b) IN (VALUES …).

Both engines look at the columns from left to right, and neither looks behind the first that decides: so NULLs, too, say
the same. https://www.sqlite.org/rowvalue.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from migrator.core.sql import values as v
from migrator.core.sql.comparing import compared
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

Emit = Callable[[exp.Expr], Value]


def compared_rows(emit: Emit, left: exp.Expr, operator: str, right: exp.Expr, *, order: bool) -> str:
    """Raises Untranslatable."""
    one, other = _columns(emit, left), _columns(emit, right)
    if len(one) != len(other):
        raise Untranslatable("row values of several lengths")
    pairs = [compared(*pair, order=order) for pair in zip(one, other, strict=True)]
    return f"({_row([mine for mine, _ in pairs])} {operator} {_row([yours for _, yours in pairs])})"


def row_among(emit: Emit, subject: exp.Tuple, rows: Sequence[exp.Expr]) -> str:
    """(a, b) IN (VALUES …). The subject's collations and affinities count. Raises Untranslatable."""
    columns = _columns(emit, subject)
    members = [_members(emit, row, len(columns)) for row in rows]
    columns = [v.typed(column, _kind(row[place] for row in members)) for place, column in enumerate(columns)]
    found = [[compared(*pair, order=False) for pair in zip(columns, row, strict=True)] for row in members]
    subjects = {_row([mine for mine, _ in row]) for row in found}
    if len(subjects) > 1:
        raise Untranslatable("IN with members of several kinds")
    listed = ", ".join(_row([yours for _, yours in row]) for row in found)
    return f"({subjects.pop()} IN ({listed}))"


def row_in_query(emit: Emit, subject: exp.Tuple, query: str, found: Sequence[Value]) -> str:
    """(a, b) IN (SELECT …). Raises Untranslatable."""
    columns = _columns(emit, subject)
    if len(columns) != len(found):
        raise Untranslatable("IN with a query of another number of columns")
    columns = [v.typed(column, member.kind) for column, member in zip(columns, found, strict=True)]
    for column, member in zip(columns, found, strict=True):
        if compared(column, replace(member, collation=None), order=False) != (column.sql, member.sql):
            raise Untranslatable("IN with a query of another kind or collation")
    return f"({_row([column.sql for column in columns])} IN ({query}))"


def members_of(node: exp.In) -> list[exp.Expr]:
    """What IN lists; VALUES of one column as a list."""
    if len(node.expressions) != 1 or not isinstance(node.expressions[0], exp.Values):
        return list(node.expressions)
    rows = node.expressions[0].expressions
    if any(not isinstance(row, exp.Tuple) or len(row.expressions) != 1 for row in rows):
        raise Untranslatable("IN with VALUES of several columns")
    return [row.expressions[0] for row in rows]


def _members(emit: Emit, row: exp.Expr, width: int) -> list[Value]:
    found = _columns(emit, row)
    if len(found) != width:
        raise Untranslatable("row values of several lengths")
    if any(value.affinity is not None or value.explicit for value in found):
        raise Untranslatable("IN with VALUES of columns: write the comparisons one by one")
    return [replace(value, collation=None) for value in found]


def _columns(emit: Emit, node: exp.Expr) -> list[Value]:
    node = node.unnest()
    if not isinstance(node, exp.Tuple):
        raise Untranslatable("a row value compared with something else")
    return [emit(item) for item in node.expressions]


def _kind(values: Iterable[Value]) -> Kind:
    kinds = (value.kind for value in values)
    return next((kind for kind in kinds if kind not in (Kind.PARAMETER, Kind.NULL)), Kind.PARAMETER)


def _row(items: Sequence[str]) -> str:
    return f"({', '.join(items)})"
