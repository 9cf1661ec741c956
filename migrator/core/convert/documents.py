"""UUIDs and JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from uuid import UUID

from migrator.core.convert.pair import Conversion, Options, Unfit, unfit, written
from migrator.core.convert.texts import text_fits
from migrator.core.formats import load_json, storable_as_jsonb, uuid_text
from migrator.core.model import Affinity
from migrator.core.pgtypes import PgType
from migrator.core.values import LargeValue, Value, show


def uuid(_: PgType, options: Options, __: Affinity) -> Conversion:
    form = options.format or "hyphens"
    if form == "bytes":
        return Conversion("uuid", _bytes_to_uuid, _uuid_to_bytes, _bytes_to_uuid)
    if form not in ("hyphens", "upper", "hex"):
        raise ValueError(f"unknown format {form!r}: hyphens, upper, hex or bytes")
    forward, inverse = written(UUID, partial(uuid_text, form=form), f"a UUID ({form})")
    return Conversion("uuid", forward, inverse, forward)


def _bytes_to_uuid(value: Value) -> object:
    if value is None:
        return None
    if type(value) is bytes and len(value) == 16:
        return UUID(bytes=value)
    raise unfit(value, "a UUID of 16 bytes")


def _uuid_to_bytes(value: object) -> Value:
    assert value is None or isinstance(value, UUID)
    return None if value is None else value.bytes


def _parse_json(value: Value, wanted: str) -> str | None:
    text = text_fits(value, wanted)
    if text is None:
        return None
    if isinstance(text, LargeValue):
        raise Unfit(f"{show(value)} is too large to be checked as {wanted}")
    try:
        load_json(text)
    except ValueError as error:
        raise Unfit(f"text {show(value)} is not JSON ({error})") from error
    return text


def json_text(_: PgType, __: Options, ___: Affinity) -> Conversion:
    def forward(value: Value) -> object:
        return _parse_json(value, "json")

    return Conversion("text", forward, None, read="{}::text", offline=forward)


def jsonb(_: PgType, __: Options, ___: Affinity) -> Conversion:
    """jsonb's binary form is a version byte and the text, so the text is encoded here and goes out as raw bytes."""

    def forward(value: Value) -> object:
        text = _parse_json(value, "jsonb")
        if text is None:
            return None
        if not storable_as_jsonb(text):
            raise Unfit(f"JSON {show(value)} holds \\u0000 or half a surrogate pair, which jsonb refuses")
        return b"\x01" + text.encode()

    def undo(value: object) -> Value:
        assert value is None or isinstance(value, bytes)
        return None if value is None else value[1:].decode()

    return Conversion("bytea", forward, canonical_json, forward, read="{}::text", canonical=canonical_json, undo=undo)


def canonical_json(value: object) -> Value:
    """The text with sorted keys, the last of duplicate keys, and exact numbers without trailing zeros."""
    if value is None or not isinstance(value, str):
        return value  # type: ignore[return-value]
    parsed = json.loads(value, parse_float=_number, parse_int=_number)
    return json.dumps(parsed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> str:
    """A string that jsonb cannot hold, so that no other JSON value looks like it."""
    number = Decimal(text)
    return "\0" + ("0" if not number else str(number.normalize()))


def text_array(_: PgType, __: Options, ___: Affinity) -> Conversion:
    """A null among the texts is a NULL in the array."""

    def forward(value: Value) -> object:
        text = _parse_json(value, "a JSON array of texts")
        if text is None:
            return None
        items = json.loads(text)
        if not isinstance(items, list) or not all(map(_fits_element, items)):
            raise unfit(value, "a JSON array of texts")
        return items

    def inverse(value: object) -> Value:
        return None if value is None else canonical_json(json.dumps(value))

    return Conversion("text[]", forward, inverse, forward, canonical=canonical_json)


def _fits_element(item: object) -> bool:
    if not isinstance(item, str):
        return item is None
    return "\0" not in item and not any("\ud800" <= letter <= "\udfff" for letter in item)
