"""Functions that PostgreSQL has not: in its own terms where these are proven equal, else from the function pack.

The pack are the files sqlite_*.sql; `migrator rewrite functions` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from migrator.core.sql import json_calls, more_calls, printf_calls
from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.times import spelt
from migrator.core.sql.values import Value

PREFIX = "sqlite__"  # before the names of functions that the parser would take for others


class Caller(Protocol):
    """Who emits the expression. Both raise Untranslatable where only what never changes has a place."""

    def use_clock(self, what: str) -> None: ...

    def use_pack(self, what: str) -> None: ...

    def warn(self, rule: str, text: str) -> None: ...


Call = Callable[[Caller, str, Sequence[Value]], Value]

_NOW = "statement_timestamp() AT TIME ZONE 'UTC'"
_NATIVE = {
    "date": f"to_char({_NOW}, 'YYYY-MM-DD')",
    "time": f"to_char({_NOW}, 'HH24:MI:SS')",
    "datetime": f"to_char({_NOW}, 'YYYY-MM-DD HH24:MI:SS')",
    "unixepoch": "floor(extract(epoch FROM statement_timestamp()))::bigint",
}
_PICTURES = {"date": "YYYY-MM-DD", "time": "HH:MM:SS", "datetime": "YYYY-MM-DD HH:MM:SS"}
_LOCAL = ("localtime", "utc")
_SUBSECOND = ("subsec", "subsecond")


def now(caller: Caller, name: str) -> Value:
    """date, time or datetime of the statement, in UTC."""
    caller.use_clock(f"the current {name}")
    return Value(_NATIVE[name], Kind.TEXT, nullable=False, never_numeric=True, picture=_PICTURES[name])


def call(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """Raises Untranslatable, also for a function that is not on the list."""
    emit = CALLS.get(name)
    if emit is None:
        raise Untranslatable(f"the function {name}()", "function")
    return emit(caller, name, arguments)


def _moment(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """date(), time(), datetime(), julianday() and unixepoch() of a time value with its modifiers."""
    kind = {"julianday": Kind.REAL, "unixepoch": Kind.INTEGER}.get(name, Kind.TEXT)
    if _is_now(arguments) and name in _NATIVE:
        caller.use_clock(f"{name}()")
        return Value(_NATIVE[name], kind, nullable=False, never_numeric=True, picture=_PICTURES.get(name))
    if name == "unixepoch" and any(str(value.literal).lower() in _SUBSECOND for value in arguments):
        raise Untranslatable("unixepoch() with subsec, which is a REAL", "subsec")
    caller.use_pack(f"{name}()")
    plain = not any(str(value.literal).lower() in _SUBSECOND or value.literal is None for value in arguments[1:])
    picture = _PICTURES.get(name) if plain else None
    return Value(f"sqlite.{name}({_time(arguments)})", kind, never_numeric=True, picture=picture)


def _strftime(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if not arguments:
        raise Untranslatable("strftime() without a format")
    form, *rest = arguments
    if "%J" in str(form.literal):
        raise Untranslatable("strftime() with %J", "function")
    caller.use_pack("strftime()")
    return Value(f"sqlite.strftime({v.text(form)}, {_time(rest)})", Kind.TEXT)


def _time_between(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) != 2:
        raise Untranslatable(f"{name}() with {len(arguments)} arguments", "function")
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.timediff({', '.join(_time([value]) for value in arguments)})", Kind.TEXT, never_numeric=True)


def _is_now(arguments: Sequence[Value]) -> bool:
    return not arguments or (len(arguments) == 1 and str(arguments[0].literal).lower() == "now")


def _time(arguments: Sequence[Value]) -> str:
    """The time value, a number or a text, and the modifiers, which are texts."""
    first, *modifiers = arguments or [v.string("now")]
    first = spelt(v.require(v.typed(first, Kind.TEXT)))
    if any(str(value.literal).lower() in _LOCAL for value in modifiers):
        raise Untranslatable("a time of the computer's own zone", "localtime")
    if first.kind in (Kind.INTEGER, Kind.REAL):
        value = f"{v.number(first).sql}::float8"
    elif first.kind in (Kind.TEXT, Kind.NULL):
        value = v.text(first)
    else:
        raise Untranslatable(f"a time value of {first.kind}")
    return ", ".join([f"{value}::text" if first.parameter else value, *map(v.text, modifiers)])


def _substr(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """Natively where start and length are such that both engines count alike."""
    if len(arguments) not in (2, 3):
        raise Untranslatable("substr() with other than two or three arguments")
    value = spelt(v.require(v.typed(arguments[0], Kind.TEXT)))
    counts = [v.number(v.typed(count, Kind.INTEGER)) for count in arguments[1:]]
    if any(count.kind is not Kind.INTEGER for count in counts):
        raise Untranslatable("substr() from a REAL on")
    literals = [count.literal for count in counts]
    plain = all(isinstance(n, int) and least <= n < 2**30 for n, least in zip(literals, (1, 0), strict=False))
    if value.kind is Kind.BLOB:
        caller.use_pack("substr() of a BLOB")
        return Value(f"sqlite.substr({value.sql}, {', '.join(c.sql for c in counts)})", Kind.BLOB)
    text = v.text(value)
    if plain:
        return Value(f"substr({text}, {', '.join(str(c.literal) for c in counts)})", Kind.TEXT, exact=True)
    caller.use_pack("substr() with other than a positive literal start and length")
    return Value(f"sqlite.substr({text}, {', '.join(c.sql for c in counts)})", Kind.TEXT)


def _hex(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """hex(NULL) is the empty string."""
    value = v.require(_only(name, arguments))
    if value.kind is Kind.BLOB:
        return Value(f"COALESCE(upper(encode({value.sql}, 'hex')), ''::text)", Kind.TEXT, nullable=False)
    if value.kind not in (Kind.TEXT, Kind.INTEGER):
        raise Untranslatable(f"hex() of {value.kind}")
    caller.use_pack(f"hex() of {value.kind}")
    return Value(f"sqlite.hex({v.text(value)})", Kind.TEXT, nullable=False)


def _quote(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    value = v.require(_only(name, arguments))
    if value.kind not in (Kind.TEXT, Kind.INTEGER, Kind.BLOB):
        raise Untranslatable(f"quote() of {value.kind}")
    caller.use_pack("quote()")
    sql = v.number(value).sql if value.kind is Kind.INTEGER else value.sql
    return Value(f"sqlite.quote({sql})", Kind.TEXT, nullable=False)


def _unicode(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_pack("unicode()")
    return Value(f"sqlite.unicode({v.text(_only(name, arguments))})", Kind.INTEGER)


def _random(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    caller.use_clock("random()")
    return Value("(random() * 18446744073709551616 - 9223372036854775808)::bigint", Kind.INTEGER, nullable=False)


def _characters(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """Of literal code points that both engines have a character for."""
    points = [argument.literal for argument in arguments]
    if not all(isinstance(point, int) and 0 < point < 0x110000 and not 0xD800 <= point < 0xE000 for point in points):
        raise Untranslatable("char() of other than literal code points", "function")
    return replace(v.string("".join(chr(point) for point in points if isinstance(point, int))), literal=None)


def _sign(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    value = v.number(v.typed(_only(name, arguments), Kind.REAL))
    return Value(f"sign({value.sql}::float8)::bigint", Kind.INTEGER, exact=True)


def _zeroes(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    length = _only(name, arguments).literal
    if not isinstance(length, int) or not 0 <= length <= 1_000_000:
        raise Untranslatable(f"{name}() of other than a literal length up to 1,000,000", "function")
    return Value(f"decode(repeat('00', {length}), 'hex')", Kind.BLOB, nullable=False)


def _json_object(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) % 2:
        raise Untranslatable("json_object() with an odd number of arguments")
    return json_calls.made_object(caller, [*zip(arguments[::2], arguments[1::2], strict=True)])


def _state(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    instead = "INSERT … RETURNING gives the id" if name == "last_insert_rowid" else "the driver's rowcount says it"
    raise Untranslatable(f"{name}() asks the connection what it did last: {instead}", "connection-state")


def _only(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) != 1:
        raise Untranslatable(f"{name}() with other than one argument")
    return arguments[0]


CALLS: dict[str, Call] = {
    **dict.fromkeys(("date", "time", "datetime", "julianday", "unixepoch"), _moment),
    "strftime": _strftime,
    "timediff": _time_between,
    **dict.fromkeys(("substr", "substring"), _substr),
    "hex": _hex,
    "quote": _quote,
    "unicode": _unicode,
    "random": _random,
    **dict.fromkeys(("printf", "format"), printf_calls.printf),
    "json": json_calls.minified,
    "json_array": json_calls.array,
    "json_object": _json_object,
    "json_quote": json_calls.quoted,
    "json_extract": json_calls.extracted,
    "json_type": json_calls.kind_of_value,
    "json_array_length": json_calls.length_of_array,
    "json_valid": json_calls.is_valid,
    **dict.fromkeys(("json_set", "json_insert", "json_replace"), json_calls.changed),
    "json_remove": json_calls.removed,
    "json_patch": json_calls.patched,
    "json_pretty": json_calls.pretty,
    "char": _characters,
    "sign": _sign,
    "zeroblob": _zeroes,
    **dict.fromkeys(("iif", "if"), more_calls.iif),
    **dict.fromkeys(("likely", "unlikely", "likelihood"), more_calls.itself),
    **dict.fromkeys(("concat", "concat_ws"), more_calls.joined),
    "octet_length": more_calls.octets,
    "unhex": more_calls.unhexed,
    "randomblob": more_calls.random_bytes,
    **dict.fromkeys(("ceil", "ceiling", "floor", "trunc"), more_calls.rounded),
    "sqrt": more_calls.of_doubles("sqrt"),
    "exp": more_calls.of_doubles("exp"),
    "ln": more_calls.of_doubles("ln"),
    "log10": more_calls.of_doubles("log"),
    **dict.fromkeys(("pow", "power"), more_calls.of_doubles("power", 2)),
    "pi": more_calls.of_doubles("pi", 0),
    **dict.fromkeys(("last_insert_rowid", "changes", "total_changes"), _state),
}
