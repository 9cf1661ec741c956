"""json_each() as a table of a query: the members of a JSON document, whose keys and values have types of their own."""

from __future__ import annotations

from migrator.core.model import Affinity
from migrator.core.sql.json_calls import Caller, place
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.values import Value

NAME = "json_each"
_DOCUMENT = ColumnScope("", Kind.PARAMETER, document=True)
_TEXT = ColumnScope("", Kind.TEXT, "BINARY", Affinity.BLOB, exact=True)


def members(*, at_a_path: bool) -> TableScope:
    """Its columns without id and parent, which are places in SQLite's own form of the document."""
    columns = dict.fromkeys(("key", "value", "atom"), _DOCUMENT) | {"type": _TEXT}
    if not at_a_path:
        columns |= {"fullkey": _TEXT, "path": _TEXT}
    return TableScope(NAME, {name: _named(name, scope) for name, scope in columns.items()})


def _named(name: str, scope: ColumnScope) -> ColumnScope:
    return ColumnScope(
        name, scope.kind, scope.collation, scope.affinity, source=name, exact=scope.exact, document=scope.document
    )


def call(caller: Caller, arguments: list[Value]) -> str:
    """What stands in the FROM clause. Raises Untranslatable."""
    if not 1 <= len(arguments) <= 2:
        raise Untranslatable(f"{NAME}() with {len(arguments)} arguments", "function")
    caller.use_pack(f"{NAME}()")
    caller.warn("json", "a key or a value of json_each() that has not the type which its place wants is an error")
    return f"sqlite.{NAME}({place(NAME, arguments)})"
