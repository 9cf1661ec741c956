"""SQLite's JSON functions over texts and over json and jsonb, from the function pack.

A value in a document has a type of its own, and an expression in PostgreSQL has one for all rows: json_extract() gives
what its place wants, and PostgreSQL refuses a value of another type.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
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
    if len(arguments) > 2:
        caller.use_pack(f"{name}()")
        for path in arguments[1:]:
            steps_of(path.literal if isinstance(path.literal, str) else "$")
        return _json(f"sqlite.json_parts({_written(arguments[0])}, {', '.join(map(label, arguments[1:]))})")
    return _extracted(caller, place(name, arguments, at_least=2), json=_as_written(arguments[0], is_json=True))


def arrow(caller: Caller, left: Value, right: Value, *, scalar: bool) -> Value:
    """-> gives JSON, ->> what json_extract() gives; a label or a place in an array may stand for a path."""
    steps = _steps_behind_an_arrow(right)
    if scalar:
        return _extracted(caller, ", ".join([_document(left), *steps]), json=_as_written(left, is_json=False))
    caller.use_pack("->")
    return _json(f"sqlite.json_part({', '.join([_written(left), *steps])})")


def _steps_behind_an_arrow(value: Value) -> list[str]:
    label = value.literal
    if isinstance(label, int) and not isinstance(label, bool) and label >= 0:
        return [quote_literal(str(label))]
    if not isinstance(label, str) or label.startswith("[") or '"' in label:
        raise Untranslatable("-> with another operand than a literal path, label or place", "function")
    return [*map(quote_literal, steps_of(label))] if label.startswith("$") else [quote_literal(f".{label}")]


def _json(sql: str) -> Value:
    return Value(sql, Kind.TEXT, exact=True, json=True)


def _built(sql: str) -> Value:
    """An array or an object, which no NULL makes NULL."""
    return replace(_json(sql), nullable=False, never_numeric=True)


def _as_written(document: Value, *, is_json: bool) -> bool | None:
    """How an object or an array that was found in the document goes into another one; None where it must not."""
    return None if document.kind is Kind.JSONB else is_json


def _extracted(caller: Caller, found: str, *, json: bool | None) -> Value:
    """json: of an object or an array SQLite remembers that it is JSON, unless ->> found it."""
    caller.use_pack("json_extract()")
    caller.warn(
        "json",
        "json_extract() of a value that has not the type which its place wants is an error; alone it wants a text",
    )
    return Value("", Kind.PARAMETER, document=found, json=json)


def kind_of_value(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    found = place(name, arguments)
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_type({found})", Kind.TEXT, exact=True, never_numeric=True)


def length_of_array(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    found = place(name, arguments)
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_array_length({found})", Kind.INTEGER, exact=True)


def is_valid(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) != 1:
        raise Untranslatable("json_valid() with flags", "function")
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.json_valid({_document(arguments[0])})", Kind.INTEGER, exact=True)


def place(name: str, arguments: Sequence[Value], at_least: int = 1) -> str:
    """The document, and the steps to a value in it."""
    if not at_least <= len(arguments) <= 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    path = arguments[1].literal if len(arguments) == 2 else "$"
    if not isinstance(path, str):
        path_value = v.require(v.typed(arguments[1], Kind.TEXT))
        if path_value.kind is not Kind.TEXT:
            raise Untranslatable(f"{name}() with a path of {path_value.kind}", "function")
        steps = f"{path_value.sql}::text" if path_value.parameter else path_value.sql
        return f"{_document(arguments[0])}, VARIADIC sqlite.json_steps({steps})"
    return ", ".join([_document(arguments[0]), *map(quote_literal, steps_of(path))])


def _document(value: Value) -> str:
    value = v.require(v.typed(value, Kind.TEXT))
    if value.kind in (Kind.JSON, Kind.JSONB):
        return f"{value.sql}::text"
    if value.kind not in (Kind.TEXT, Kind.NULL):
        raise Untranslatable(f"a JSON function of {value.kind}", "function")
    return f"{v.text(value)}::text" if value.parameter else v.text(value)


def _written(value: Value) -> str:
    """The document where its parts are shown as they are written."""
    if value.kind is Kind.JSONB:
        raise Untranslatable("a part of a jsonb column as a text: it has an order of its own for members", "function")
    return _document(value)


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
    if path[:1] != "$" or at < len(path):
        raise Untranslatable(f"the JSON path {path!r}", "function")
    return steps


# -- made of values ----------------------------------------------------------------------------------------------------


def part(value: Value) -> str:
    """A value as JSON. What is JSON already goes in as it is, a text as a string. Raises Untranslatable."""
    if value.json is None:
        raise Untranslatable("in JSON, a value that may be JSON itself or a text", "function")
    if value.document is not None:
        return f"sqlite.{'json_taken' if value.json else 'json_taken_as_text'}({value.document})"
    if value.kind is Kind.PARAMETER:
        raise Untranslatable("in JSON, a value of which nothing says its type: CAST would", "function")
    value = v.require(value)
    if value.json:
        return value.sql
    if value.kind is Kind.NULL:
        return "'null'"
    if value.kind in (Kind.INTEGER, Kind.BOOLEAN):
        return f"sqlite.json_quote({v.number(value).sql})"
    if value.kind is Kind.JSON:
        return f"sqlite.json_quote({value.sql}::text)"
    if value.kind is Kind.REAL and not value.mixed:
        return f"sqlite.json_quote_real({v.number(value).sql}::float8)"
    if value.kind is not Kind.TEXT or value.widened:
        raise Untranslatable(f"{value.kind} in JSON", "function")
    return f"sqlite.json_quote({value.sql}::text)" if value.parameter else f"sqlite.json_quote({value.sql})"


def label(value: Value) -> str:
    value = v.require(v.typed(value, Kind.TEXT))
    if value.kind is not Kind.TEXT:
        raise Untranslatable(f"a label or a path of {value.kind} in JSON", "function")
    return f"{value.sql}::text" if value.parameter else value.sql


def minified(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack("json()")
    if len(arguments) != 1:
        raise Untranslatable("json() with other than one argument")
    return _json(f"sqlite.json_part({_written(arguments[0])})")


def array(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack("json_array()")
    return _built(f"sqlite.json_array({', '.join(map(part, arguments))})")


def made_object(caller: Caller, pairs: Sequence[tuple[Value, Value]]) -> Value:
    caller.use_pack("json_object()")
    parts = ", ".join(f"{label(key)}, {part(value)}" for key, value in pairs)
    return _built(f"sqlite.json_object({parts})")


def quoted(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack("json_quote()")
    if len(arguments) != 1:
        raise Untranslatable("json_quote() with other than one argument")
    return replace(_json(part(arguments[0])), nullable=False)


def group_array(value: Value, distinct: str, order: str, filtered: str) -> Value:
    joined = f"string_agg({distinct}{part(value)}, ','{order}){filtered}"
    return _built(f"COALESCE('[' || {joined} || ']', '[]')")


def group_object(key: Value, value: Value, filtered: str) -> Value:
    """SQLite passes over a key that is NULL, and so does string_agg(); a number is taken for a text here."""
    member = f"to_json({v.text(key) if key.kind is Kind.INTEGER else label(key)})::text || ':' || {part(value)}"
    return _built(f"COALESCE('{{' || string_agg({member}, ','){filtered} || '}}', '{{}}')")


# -- made of other documents -------------------------------------------------------------------------------------------


def changed(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """json_set(), json_insert() and json_replace() of a document, with paths and values in turn."""
    caller.use_pack(f"{name}()")
    if len(arguments) % 2 == 0:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    document, *pairs = arguments
    parts = [given for path, value in zip(pairs[::2], pairs[1::2], strict=True) for given in (_path(path), part(value))]
    return _made_of(f"sqlite.{name}({', '.join([_written(document), *parts])})", arguments[:1])


def removed(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack(f"{name}()")
    if not arguments:
        raise Untranslatable(f"{name}() without arguments", "function")
    document, *paths = arguments
    return _json(f"sqlite.{name}({', '.join([_written(document), *map(_path, paths)])})")


def patched(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack(f"{name}()")
    if len(arguments) != 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    return _made_of(f"sqlite.{name}({', '.join(map(_written, arguments))})", arguments)


def pretty(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack(f"{name}()")
    if not 1 <= len(arguments) <= 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    document, *indent = arguments
    return replace(_json(f"sqlite.{name}({', '.join([_written(document), *map(label, indent)])})"), json=False)


def _made_of(sql: str, documents: Sequence[Value]) -> Value:
    return replace(_json(sql), nullable=any(document.nullable for document in documents))


def _path(value: Value) -> str:
    """A path that is known is looked at now, any other one when it is used."""
    if isinstance(value.literal, str):
        steps_of(value.literal)
    return "NULL" if value.kind is Kind.NULL else label(value)
