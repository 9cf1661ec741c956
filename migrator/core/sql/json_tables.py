"""json_each() and json_tree() as tables of a query: what is in a document, keys and values with types of their own."""

from __future__ import annotations

from dataclasses import replace

from migrator.core.model import Affinity
from migrator.core.sql.json_calls import Caller, place
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.values import Value

_DOCUMENT = ColumnScope("", Kind.PARAMETER, document=True, json=True)
_TEXT = ColumnScope("", Kind.TEXT, "BINARY", Affinity.BLOB, exact=True)
# Places in SQLite's own form of the document, and what its call has been given.
_HIDDEN = ("id", "parent", "rowid", "_rowid_", "oid", "json", "root")
# Which names lead to the place of a path differs between SQLite's versions.
_OF_THE_PATH = {"json_each": ("fullkey", "path"), "json_tree": ("key", "fullkey", "path")}

NAMES = frozenset(_OF_THE_PATH)


def members(name: str, *, at_a_path: bool) -> TableScope:
    columns = dict.fromkeys(("key", "value", "atom"), _DOCUMENT) | dict.fromkeys(("type", "fullkey", "path"), _TEXT)
    hidden = (*_HIDDEN, *(_OF_THE_PATH[name] if at_a_path else ()))
    columns |= {column: replace(_TEXT, declined=True) for column in hidden}
    return TableScope(name, {key: replace(scope, target=key, source=key) for key, scope in columns.items()})


def call(caller: Caller, name: str, arguments: list[Value]) -> str:
    """What stands in the FROM clause. Raises Untranslatable."""
    if not 1 <= len(arguments) <= 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    caller.use_pack(f"{name}()")
    caller.warn("json", f"a key or a value of {name}() that has not the type which its place wants is an error")
    return f"sqlite.{name}({place(name, arguments)})"
