"""SQLite's JSON functions over texts, from the function pack.

A value in a document has a type of its own, and an expression in PostgreSQL has one for all rows: json_extract() gives
what its place wants, and PostgreSQL refuses a value of another type.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from migrator.core.names import quote_literal
from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

_STEP = re.compile(r'\."(?P<quoted>[^"\\]*)"|\.(?P<key>[^.\[\]"\\]+)|\[(?P<place>#-[0-9]{1,9}|#|[0-9]{1,9})\]')


class Caller(Protocol):
    """Who emits the expression. Both raise Untranslatable or note what they are told."""

    def use_pack(self, what: str) -> None: ...

    def warn(self, rule: str, text: str) -> None: ...


def extracted(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    found = _place(name, arguments, at_least=2)
    caller.use_pack(f"{name}()")
    caller.warn(
        "json",
        "json_extract() of a value that has not the type which its place wants is an error; alone it wants a text",
    )
    return Value("", Kind.PARAMETER, document=found)


def kind_of_value(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    found = _place(name, arguments)
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_type({found})", Kind.TEXT, exact=True, never_numeric=True)


def length_of_array(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    found = _place(name, arguments)
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_array_length({found})", Kind.INTEGER, exact=True)


def is_valid(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) != 1:
        raise Untranslatable("json_valid() with flags", "function")
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_valid({_document(arguments[0])})", Kind.INTEGER, exact=True)


def _place(name: str, arguments: Sequence[Value], at_least: int = 1) -> str:
    """The document, and the steps to a value in it."""
    if not at_least <= len(arguments) <= 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    path = arguments[1].literal if len(arguments) == 2 else "$"
    if not isinstance(path, str):
        raise Untranslatable(f"{name}() with a path that is not a literal", "function")
    return ", ".join([_document(arguments[0]), *map(quote_literal, steps_of(path))])


def _document(value: Value) -> str:
    value = v.require(v.typed(value, Kind.TEXT))
    if value.kind is Kind.JSON:
        return f"{value.sql}::text"
    if value.kind not in (Kind.TEXT, Kind.NULL):
        raise Untranslatable(f"a JSON function of {value.kind}", "function")
    return f"{v.text(value)}::text" if value.parameter else v.text(value)


def steps_of(path: str) -> list[str]:
    """A key behind a dot, a place in an array as it is written. Raises Untranslatable."""
    steps, at = list[str](), 1
    while at < len(path) and path[0] == "$":
        found = _STEP.match(path, at)
        if found is None:
            break
        key = found["quoted"] if found["quoted"] is not None else found["key"]
        steps.append(f".{key}" if key is not None else found["place"])
        at = found.end()
    if path[:1] != "$" or at < len(path) or "[#]" in path:
        raise Untranslatable(f"the JSON path {path!r}", "function")
    return steps
