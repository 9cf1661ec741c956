"""Functions that PostgreSQL has not: in its own terms where these are proven equal, else from the function pack.

The pack is sqlite_compat.sql; `migrator schema --compat` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

PREFIX = "sqlite__"  # before the names of functions that the parser would take for others


class Caller(Protocol):
    """Who emits the expression. Both raise Untranslatable where only what never changes has a place."""

    def use_clock(self, what: str) -> None: ...

    def use_pack(self, what: str) -> None: ...


Call = Callable[[Caller, str, Sequence[Value]], Value]

_NOW = "statement_timestamp() AT TIME ZONE 'UTC'"
_NATIVE = {
    "date": f"to_char({_NOW}, 'YYYY-MM-DD')",
    "time": f"to_char({_NOW}, 'HH24:MI:SS')",
    "datetime": f"to_char({_NOW}, 'YYYY-MM-DD HH24:MI:SS')",
    "unixepoch": "floor(extract(epoch FROM statement_timestamp()))::bigint",
}
_LOCAL = ("localtime", "utc")
_SUBSECOND = ("subsec", "subsecond")


def now(caller: Caller, name: str) -> Value:
    """date, time or datetime of the statement, in UTC."""
    caller.use_clock(f"the current {name}")
    return Value(_NATIVE[name], Kind.TEXT, nullable=False, never_numeric=True)


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
        return Value(_NATIVE[name], kind, nullable=False, never_numeric=True)
    if name == "unixepoch" and any(str(value.literal).lower() in _SUBSECOND for value in arguments):
        raise Untranslatable("unixepoch() with subsec, which is a REAL", "subsec")
    caller.use_pack(f"{name}()")
    return Value(f"sqlite.{name}({_time(arguments)})", kind, never_numeric=True)


def _strftime(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    if not arguments:
        raise Untranslatable("strftime() without a format")
    form, *rest = arguments
    if "%J" in str(form.literal):
        raise Untranslatable("strftime() with %J", "function")
    caller.use_pack("strftime()")
    return Value(f"sqlite.strftime({v.text(form)}, {_time(rest)})", Kind.TEXT)


def _is_now(arguments: Sequence[Value]) -> bool:
    return not arguments or (len(arguments) == 1 and str(arguments[0].literal).lower() == "now")


def _time(arguments: Sequence[Value]) -> str:
    """The time value, a number or a text, and the modifiers, which are texts."""
    first, *modifiers = arguments or [v.string("now")]
    first = v.require(v.typed(first, Kind.TEXT))
    if any(str(value.literal).lower() in _LOCAL for value in modifiers):
        raise Untranslatable("a time of the computer's own zone", "localtime")
    if first.kind in (Kind.INTEGER, Kind.REAL):
        value = f"{v.number(first).sql}::float8"
    elif first.kind in (Kind.TEXT, Kind.NULL):
        value = v.text(first)
    else:
        raise Untranslatable(f"a time value of {first.kind}")
    return ", ".join([f"{value}::text" if first.parameter else value, *map(v.text, modifiers)])


CALLS: dict[str, Call] = {
    **dict.fromkeys(("date", "time", "datetime", "julianday", "unixepoch"), _moment),
    "strftime": _strftime,
}
