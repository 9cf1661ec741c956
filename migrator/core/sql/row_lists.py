"""VALUES where a query stands: as SELECTs of one row each, whose results have the names that both engines give them."""

from __future__ import annotations

from sqlglot import exp

from migrator.core.sql.query import other_args, require_args


def selected(node: exp.Values) -> exp.Expr:
    """VALUES as queries of one row each, whose results both engines call alike."""
    require_args(node, "expressions", "alias")
    queries = []
    for row in node.expressions:
        values = row.expressions if isinstance(row, exp.Tuple) else [row]
        named = [exp.alias_(value.copy(), f"column{place}") for place, value in enumerate(values, 1)]
        queries.append(exp.Select(expressions=named))
    found: exp.Expr = queries[0]
    for query in queries[1:]:
        found = exp.Union(this=found, expression=query, distinct=False)
    return found


def only_values(node: exp.Expr) -> exp.Values | None:
    """Of SELECT * FROM (VALUES …) AS _values, which sqlglot makes of VALUES in a WITH."""
    source = node.args.get("from_") if isinstance(node, exp.Select) else None
    if source is None or not isinstance(source.this, exp.Values) or source.this.alias != "_values":
        return None
    return source.this if not other_args(node, "expressions", "from_") else None
