"""What sqlite3 makes of values on their way to the program, where it is asked to: detect_types and text_factory."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator.adapter.session import Outcome

Converter = Callable[[bytes], Any]
_BRACKETS = re.compile(r"\[(.*?)\]")


def name_of(name: str) -> str:
    """A column's name without the type behind it, as in `at [timestamp]`."""
    return name.partition(" [")[0]


def converted(
    rows: Sequence[tuple[Any, ...]], outcome: Outcome, detect_types: int, text_factory: Callable[[bytes], Any]
) -> list[tuple[Any, ...]]:
    """The rows with what registered converters and the text factory make of their values."""
    declared = outcome.declared or ("",) * len(outcome.names or ())
    found = [
        _converter(name, declaration, detect_types)
        for name, declaration in zip(outcome.names or (), declared, strict=True)
    ]

    def made(value: Any, converter: Converter | None) -> Any:
        if value is not None and converter is not None:
            return converter(_raw(value))
        return text_factory(value.encode()) if isinstance(value, str) and text_factory is not str else value

    return [tuple(map(made, row, found)) for row in rows]


def _converter(name: str, declared: str, detect_types: int) -> Converter | None:
    """By the name's type first, as sqlite3 looks."""
    if detect_types & sqlite3.PARSE_COLNAMES and (found := _BRACKETS.search(name)):
        return _registered(found[1])
    if detect_types & sqlite3.PARSE_DECLTYPES and declared:
        return _registered(re.split(r"[ (]", declared)[0])
    return None


def _registered(kind: str) -> Converter | None:
    found: Converter | None = sqlite3.converters.get(kind.upper())
    return found


def _raw(value: Any) -> bytes:
    """What sqlite3 gives a converter: the bytes of the text, numbers as text."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else repr(value).encode()
