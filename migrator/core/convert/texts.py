"""Text and bytes."""

from __future__ import annotations

import re

from migrator.core.convert.pair import Conversion, Options, Unfit, is_same, unfit
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType
from migrator.core.values import BrokenText, LargeValue, Value, show


def text_fits(value: Value, wanted: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        if isinstance(value, BrokenText):
            raise Unfit(f"text with bytes that are not valid in the database's encoding: {show(value)}")
        if isinstance(value, LargeValue) and value.storage_class == "text":
            return value  # type: ignore[return-value]  # the large path checks it chunk by chunk
        raise unfit(value, wanted)
    if "\0" in value:
        raise Unfit(f"text with a NUL character (U+0000), which PostgreSQL cannot store: {show(value)}")
    return value


def text(pg: PgType, options: Options, affinity: Affinity) -> Conversion:
    if options.holds == "number":
        return Conversion("text", _widen, _narrow, _widen)
    return Conversion("text", lambda value: text_fits(value, "a text"), None, offline=_without_nul)


def _without_nul(value: Value) -> object:
    if isinstance(value, str) and "\0" in value:
        raise Unfit(f"text with a NUL character (U+0000): {show(value)}")
    return value


def varchar(pg: PgType, _: Options, __: Affinity) -> Conversion:
    """The length is checked here because PostgreSQL cuts trailing spaces beyond it without an error."""
    (most,) = pg.arguments or (10_485_760,)

    def fast(value: Value) -> object:
        if value is not None and len(value) > most:  # type: ignore[arg-type]  # other types fail here or in the encoder
            raise unfit(value, f"a {pg}: {len(value)} characters")  # type: ignore[arg-type]
        return value

    def forward(value: Value) -> object:
        text = text_fits(value, f"a {pg}")
        if isinstance(text, LargeValue):
            raise unfit(value, f"a {pg}")
        return fast(text)

    return Conversion("varchar", forward, None, fast, offline=forward)


def char(pg: PgType, _: Options, __: Affinity) -> Conversion:
    """PostgreSQL pads char(n) with spaces, so only texts of exactly n characters come back as they were."""
    (length,) = pg.arguments or (1,)

    def forward(value: Value) -> object:
        text = text_fits(value, f"a {pg}")
        if text is not None and len(text) != length:
            raise unfit(value, f"a {pg}: {len(text)} characters")
        return text

    return Conversion("varchar", forward, None, forward)


_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)


def _widen(value: Value) -> object:
    """Numbers become the text that SQLite would write; a text that looks like a number cannot be told from one."""
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return repr(value)
    text = text_fits(value, "a text or a number")
    if text is not None and not isinstance(text, LargeValue) and not is_same(_narrow(text), text):
        raise Unfit(f"text {show(value)} could not be told from a number")
    return text


def _narrow(value: object) -> Value:
    assert value is None or isinstance(value, str)
    if value is None or len(value) > 25 or not value:
        return value
    if _CANONICAL_INTEGER.fullmatch(value) and -(2**63) <= int(value) < 2**63:
        return int(value)
    try:
        number = float(value)
    except ValueError:
        return value
    return number if repr(number) == value else value


def bytea(_: PgType, options: Options, __: Affinity) -> Conversion:
    if options.holds == "text":
        return Conversion("bytea", _text_to_bytes, _bytes_to_text, _text_to_bytes)
    return Conversion("bytea", _blob_fits, None)


def _blob_fits(value: Value) -> object:
    if value is None or type(value) is bytes or (isinstance(value, LargeValue) and value.storage_class == "blob"):
        return value
    raise unfit(value, "a blob")


def _text_to_bytes(value: Value) -> object:
    if value is None or isinstance(value, LargeValue):
        return value
    if isinstance(value, BrokenText):
        return value.raw
    if type(value) is str:
        return value.encode()
    raise unfit(value, "a text")


def _bytes_to_text(value: object) -> Value:
    assert value is None or isinstance(value, bytes)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BrokenText(value)
