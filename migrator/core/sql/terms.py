"""What the parser's nodes are called in SQL, for those who read why a statement is not translated."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from migrator.core.model import fold
from migrator.core.sql.scope import ROWIDS, Untranslatable

_CALLED: dict[type[exp.Expr], str] = {
    exp.Tuple: "a row value in this place",
    exp.RegexpLike: "REGEXP",
    exp.Star: "*",
    exp.WindowSpec: "the frame of a window",
    exp.Window: "OVER",
    exp.TableAlias: "the alias of a table",
    exp.CTE: "a table of WITH",
    exp.Schema: "a list of columns",
    exp.Ordered: "ORDER BY",
    exp.Order: "ORDER BY",
    exp.Group: "GROUP BY",
    exp.With: "WITH",
    exp.OnConflict: "ON CONFLICT",
    exp.Subquery: "a query in parentheses",
    exp.SetOperation: "UNION",
    exp.CurrentVersion: "sqlite_version()",
    exp.NEQ: "<>",
    exp.EQ: "=",
}
_PARTS = {
    "method": "NATURAL",
    "db": "the name of a database before its own",
    "indexed": "INDEXED BY",
    "field": "the name of a table",
    "order": "ORDER BY",
    "group": "GROUP BY",
    "from_": "FROM",
    "with_": "WITH",
    "joins": "a join",
    "conflict": "ON CONFLICT",
    "expressions": "a list",
    "alias": "an alias",
    "columns": "names of columns",
    "on": "DISTINCT ON",
    "this": "an operand",
}


def called(node: exp.Expr) -> str:
    """The construct by its keyword, a function by its name."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name}()"
    found = next((name for kind, name in _CALLED.items() if isinstance(node, kind)), None)
    if found is not None:
        return found
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector | exp.Case | exp.Cast):
        return f"{node.sql_name().lower()}()"
    return node.key.upper()


def called_with(node: exp.Expr, parts: Iterable[str]) -> str:
    """The construct with what it has more than is translated."""
    shown = (_PARTS.get(part, part.strip("_").replace("_", " ").upper()) for part in parts)
    return f"{called(node)} with {', '.join(shown)}"


def no_column(name: str) -> Untranslatable:
    if fold(name.rpartition(".")[2]) in ROWIDS:
        return Untranslatable(f"no column {name}: no column of the target carries it", next_step=_ROWID)
    return Untranslatable(f"no column {name}", next_step=_NO_COLUMN)


_NO_COLUMN = "Look at the names: SQLite would not find it either, or it belongs to a table that is not carried."
_ROWID = 'Give the table a column that carries it: rowid = "id" at the table in the plan; or name the key instead.'


def unparsed(error: SqlglotError, own: str) -> str:
    """Where a text cannot be read. `own` is what the names of some functions begin with, for the parser only."""
    if not isinstance(error, ParseError) or not error.errors:
        return "it cannot be parsed"
    first = error.errors[0]
    near = " ".join(f"{first['highlight']}{first['end_context']}".replace(own, "").split())
    if not first["end_context"].strip():
        return f"it cannot be parsed: something is missing behind {near}, or too much stands there"
    return f"it cannot be parsed: at {near[:40]}{'…' if len(near) > 40 else ''}"
