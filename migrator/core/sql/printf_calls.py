"""printf() with a literal format: texts joined, and what no cast gives from the function pack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from migrator.core.names import quote_literal
from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

_CONVERSION = re.compile(
    r"%(?P<flags>[-+ 0,!]*)(?P<width>[1-9][0-9]?)?(?:\.(?P<places>[0-9]{1,2}))?(?:ll?)?(?P<kind>[diuxXoscfeEgG%])"
)
# Which flags are exact. A comma in a REAL is newer than others, and # and two signs are written by nobody.
_FLAGS = {
    "d": "-+ 0,",
    "u": "-0,",
    **dict.fromkeys("xXo", "-0"),
    "s": "-0!",
    "c": "-",
    **dict.fromkeys("feEgG", "-+ 0"),
}
# Of a REAL's digits the first 15 are certain.
_MOST_PLACES = {**dict.fromkeys("eE", 14), **dict.fromkeys("fgG", 15)}


class Caller(Protocol):
    """Who emits the expression."""

    def use_pack(self, what: str) -> None: ...


@dataclass(frozen=True)
class _Conversion:
    kind: str
    flags: str
    width: int
    places: int | None

    @property
    def as_arguments(self) -> str:
        """What the pack is told of it."""
        places = "NULL" if self.places is None else self.places
        return f"{quote_literal(self.flags)}, {self.width}, {places}, {quote_literal(self.kind)}"


def printf(caller: Caller, name: str, arguments: Sequence[Value]) -> Value:
    """NULL is 0 as a number and nothing as a text."""
    form = str(arguments[0].literal) if arguments and isinstance(arguments[0].literal, str) else None
    if form is None or "%" in _CONVERSION.sub("", form):
        raise Untranslatable(f"{name}() with this format", "function")
    values, pieces, place = list(arguments[1:]), [], 0
    for found in _CONVERSION.finditer(form):
        pieces += [v.string(form[place : found.start()]).sql] if found.start() > place else []
        place = found.end()
        if found.group() == "%%":
            pieces.append("'%'::text")
        elif not values:
            raise Untranslatable(f"{name}() with fewer arguments than its format wants", "function")
        else:
            pieces.append(_formatted(caller, _conversion(found), values.pop(0)))
    pieces += [v.string(form[place:]).sql] if place < len(form) else []
    return Value(f"({' || '.join(pieces or [v.string('').sql])})", Kind.TEXT, nullable=False)


def _conversion(found: re.Match[str]) -> _Conversion:
    kind = {"i": "d"}.get(found["kind"], found["kind"])
    places = None if found["places"] is None else int(found["places"])
    flags = set(found["flags"])
    known = kind in _FLAGS and flags <= set(_FLAGS[kind]) and not flags >= {"+", " "}
    if not known or (kind == "c" and places is not None):
        raise Untranslatable(f"printf() with {found.group()}", "function")
    if places is not None and places > _MOST_PLACES.get(kind, places):
        raise Untranslatable("printf() with more digits than a REAL has", "function")
    return _Conversion(kind, "".join(sorted(flags)), int(found["width"] or 0), places)


def _formatted(caller: Caller, found: _Conversion, value: Value) -> str:
    if found.kind in "sc":
        return _text(caller, found, v.text(value))
    if found.kind in "feEgG":
        return _real(caller, found, v.number(v.typed(value, Kind.REAL)))
    number = v.number(v.typed(value, Kind.INTEGER))
    if number.kind is not Kind.INTEGER or number.mixed:
        raise Untranslatable(f"printf() of {number.kind} as %{found.kind}", "function")
    return _integer(caller, found, f"COALESCE({number.sql}, 0)")


def _text(caller: Caller, found: _Conversion, text: str) -> str:
    if found.kind == "s" and not set(found.flags) - {"0"} and found.places is None:
        return _aligned(f"COALESCE({text}, ''::text)", found.width)
    caller.use_pack("printf()")
    return f"sqlite.formatted({text}::text, {found.as_arguments})"


def _integer(caller: Caller, found: _Conversion, number: str) -> str:
    if found.kind == "d" and not found.flags and found.places is None:
        return _aligned(f"{number}::text", found.width)
    caller.use_pack("printf()")
    if found.kind == "d" and found.flags == "0" and found.places is None:
        return f"sqlite.padded({number}, {found.width})"
    return f"sqlite.formatted({number}::bigint, {found.as_arguments})"


def _real(caller: Caller, found: _Conversion, number: Value) -> str:
    caller.use_pack("printf()")
    given, places = f"COALESCE({number.sql}::float8, 0)", 6 if found.places is None else found.places
    if found.kind == "f" and not found.flags and not found.width:
        return f"sqlite.fixed({given}, {places})"
    return f"sqlite.formatted({given}, {_Conversion(found.kind, found.flags, found.width, places).as_arguments})"


def _aligned(text: str, width: int) -> str:
    """The width counts bytes."""
    return f"(repeat(' ', {width} - octet_length({text})) || {text})" if width else text
