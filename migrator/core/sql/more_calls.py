"""Functions that are another one in PostgreSQL: choices, joined texts, bytes, mathematics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from migrator.core.sql import values as v
from migrator.core.sql.choices import choice
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value


class Caller(Protocol):
    """Who emits the expression. All raise Untranslatable or note what they are told."""

    def use_clock(self, what: str) -> None: ...

    def use_pack(self, what: str) -> None: ...


def iif(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """Conditions and results in turn, and perhaps a result for all other rows."""
    if len(arguments) < 2:
        raise Untranslatable(f"{name}() with fewer than two arguments")
    pairs = len(arguments) // 2 * 2
    otherwise = arguments[pairs] if len(arguments) > pairs else v.NULL
    return choice([v.truth(value) for value in arguments[:pairs:2]], [*arguments[1:pairs:2], otherwise])


def itself(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """What only tells SQLite's planner something."""
    if len(arguments) != (2 if name == "likelihood" else 1):
        raise Untranslatable(f"{name}() with {len(arguments)} arguments")
    if arguments[0].collation not in (None, "BINARY"):
        raise Untranslatable(f"{name}() of a text that is not compared as BINARY")
    return arguments[0]


def joined(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """Without those that are NULL; a separator that is NULL makes NULL of it."""
    if len(arguments) < (2 if name == "concat_ws" else 1):
        raise Untranslatable(f"{name}() with {len(arguments)} arguments")
    caller.use_clock(f"{name}()")  # which PostgreSQL takes for no function of its arguments alone
    texts = (f"{v.text(value)}::text" if value.parameter else v.text(value) for value in arguments)
    nullable = name == "concat_ws" and arguments[0].nullable
    return Value(f"{name}({', '.join(texts)})", Kind.TEXT, exact=True, nullable=nullable)


def octets(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    value = v.require(_only(name, arguments))
    measured = value.sql if value.kind is Kind.BLOB else v.text(value)
    return Value(f"octet_length({measured})::bigint", Kind.INTEGER, exact=True)


def unhexed(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """NULL for what are no pairs of digits."""
    text = v.text(_only(name, arguments))
    caller.use_pack("unhex()")
    return Value(f"sqlite.unhex({text})", Kind.BLOB)


def random_bytes(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    count = v.number(v.typed(_only(name, arguments), Kind.INTEGER))
    if count.kind is not Kind.INTEGER:
        raise Untranslatable(f"randomblob() of {count.kind}")
    caller.use_pack("randomblob()")
    return Value(f"sqlite.randomblob({count.sql})", Kind.BLOB, nullable=False)


def rounded(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """To a whole number, which an INTEGER is already."""
    value = v.number(_only(name, arguments))
    if value.kind is Kind.INTEGER:
        return replace(value, column=False, affinity=None, collation=None)
    if value.kind is not Kind.REAL or value.mixed:
        raise Untranslatable(f"{name}() of {value.kind}")
    return Value(f"{name}({value.sql}::float8)", Kind.REAL, finite=value.finite, exact=True)


def of_doubles(wanted: str, count: int = 1) -> Callable[[Caller, str, Sequence[Value]], Value]:
    """PostgreSQL's function of doubles; where SQLite has NULL or Inf for what is not defined, that one is an error."""

    def emit(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
        caller.use_clock(f"{name}()")
        if len(arguments) != count:
            raise Untranslatable(f"{name}() with {len(arguments)} arguments")
        numbers = [v.number(v.typed(argument, Kind.REAL)) for argument in arguments]
        return Value(f"{wanted}({', '.join(f'{value.sql}::float8' for value in numbers)})", Kind.REAL, finite=False)

    return emit


def _only(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) != 1:
        raise Untranslatable(f"{name}() with other than one argument", "function")
    return arguments[0]
