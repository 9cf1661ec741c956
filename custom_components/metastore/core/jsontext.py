"""JSON as it is stored and compared."""

from __future__ import annotations

from typing import Any

import orjson

from .errors import ProtocolError


def dumps(value: Any) -> bytes:
    """Raises ProtocolError for what no real home says: objects within objects, more than 250 deep.

    orjson reads 1,024 levels and writes 254, and Home Assistant writes its messages with orjson too.
    """
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise ProtocolError(f"a value cannot be kept: {error}") from error
