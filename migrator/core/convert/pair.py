"""What a conversion is: forward makes the PostgreSQL value, inverse gives value and storage class back."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from migrator.core.values import LargeValue, Value, show, storage_class

Forward = Callable[[Value], object]
Inverse = Callable[[object], Value]


class Unfit(ValueError):
    """A value that the conversion cannot carry exactly; the message says why."""


@dataclass(frozen=True)
class Options:
    """What a column's plan says about its conversion beside the type.

    `format` is a picture (formats.py) or a UUID form; `unit` is s, ms, us or julian for timestamps from numbers; `zone`
    names the time zone of texts without an offset; `true` and `false` are the spellings of a boolean that was text;
    `holds` is text where a bytea column carries the bytes of text.
    """

    format: str | None = None
    unit: str | None = None
    zone: str | None = None
    true: str | None = None
    false: str | None = None
    holds: str | None = None


NO_OPTIONS = Options()


@dataclass(frozen=True)
class Conversion:
    """One column's pair.

    copy_type: psycopg's name of the type whose binary dumper encodes `forward`'s result.
    fast: `forward` for values that are very probably right; None where encoder and server refuse all others.
    read: SQL around the quoted column, `{}`, that makes the target value decodable.
    canonical: the source value as the inverse will return it, where the conversion is normalised; else None.
    offline: `fast` where no server looks at what the encoder lets pass; None where the encoder lets nothing wrong pass.
    undo: the source value that `forward` made its result of, where `inverse` would say something else.
    """

    copy_type: str
    forward: Forward
    inverse: Inverse | None
    fast: Forward | None = None
    read: str = "{}"
    canonical: Callable[[Value], Value] | None = None
    offline: Forward | None = None
    undo: Inverse | None = None

    @property
    def unaided(self) -> Forward | None:
        """`fast` for a file, which accepts everything."""
        return self.offline or self.fast

    @property
    def lossless(self) -> bool:
        return self.canonical is None


def is_same(one: object, other: object) -> bool:
    """Equal in type and bits: -0.0 is not 0.0, 1 is not 1.0 and not True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
    return one == other


def unfit(value: object, wanted: str) -> Unfit:
    named = "" if isinstance(value, LargeValue) else f"{storage_class(value)} "  # a large one is shown with its class
    return Unfit(f"{named}{show(value)} is not {wanted}")


def only(kind: type, wanted: str) -> Forward:
    def forward(value: Value) -> object:
        if value is None or type(value) is kind:
            return value
        raise unfit(value, wanted)

    return forward


def written(parse: Callable[[str], object], write: Callable[[object], str], wanted: str) -> tuple[Forward, Inverse]:
    """A pair for texts: forward parses, and insists that writing gives the same text."""

    def forward(value: Value) -> object:
        if value is None:
            return None
        if type(value) is not str:
            raise unfit(value, wanted)
        try:
            parsed = parse(value)
            if write(parsed) == value:
                return parsed
        except (ValueError, OverflowError):
            pass
        raise unfit(value, wanted)

    def inverse(value: object) -> Value:
        """Where the text does not say all of the value (a fraction, the second 02:30 of a night), another text."""
        if value is None:
            return None
        text = write(value)
        with suppress(ValueError):
            if parse(text) == value:
                return text
        return f"{text} ({value})"

    return forward, inverse
