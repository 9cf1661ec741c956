"""Rows with a value too large for memory: binary COPY written field by field, the large ones in chunks.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator, Sequence
from typing import Protocol

import psycopg
from psycopg import adapt, pq, sql

from migrator.core.convert import Unfit
from migrator.core.values import LargeValue

MAX_FIELD_BYTES = 0x3FFFFFFF  # PostgreSQL's limit for one value: 1 GB minus one byte
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)


class ChunkReader(Protocol):
    """Reads a large value of the source in chunks of its raw bytes."""

    def __call__(self, value: LargeValue) -> Iterator[bytes]: ...


class LargeUnfit(Unfit):
    """A large value that PostgreSQL cannot hold; `position` is its column's."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


class LargeRow:
    """Writes single rows; every other field is encoded by psycopg's own dumpers."""

    def __init__(self, connection: psycopg.Connection, read: ChunkReader, encoding: str) -> None:
        self._connection = connection
        self._read = read
        self._encoding = encoding

    def copy(
        self, statement: sql.Composed, types: Sequence[str], values: Sequence[object], is_text: Sequence[bool]
    ) -> None:
        """Copy one row. Raises LargeUnfit for a value that PostgreSQL cannot hold."""
        small = [None if isinstance(value, LargeValue) else value for value in values]
        encoded = self._encode(types, small)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(_HEADER + struct.pack("!h", len(values)))
            for position, (value, raw, text) in enumerate(zip(values, encoded, is_text, strict=True)):
                if isinstance(value, LargeValue):
                    try:
                        self._write_large(copy, value, text)
                    except Unfit as error:
                        raise LargeUnfit(str(error), position) from None
                elif raw is None:
                    copy.write(struct.pack("!i", -1))
                else:
                    copy.write(struct.pack("!i", len(raw)) + bytes(raw))
            copy.write(_TRAILER)

    def _encode(self, types: Sequence[str], values: Sequence[object]) -> Sequence[bytes | None]:
        transformer = adapt.Transformer(self._connection)
        registry = self._connection.adapters.types
        transformer.set_dumper_types([registry.get_oid(name) for name in types], pq.Format.BINARY)
        return transformer.dump_sequence(values, [adapt.PyFormat.BINARY] * len(values))  # type: ignore[return-value]

    def _write_large(self, copy: psycopg.Copy, value: LargeValue, text: bool) -> None:
        if text and self._encoding != "utf-8":
            raise Unfit(
                f"a text of {value.size_bytes:,} bytes in a {self._encoding} database cannot be carried in chunks"
            )
        if value.size_bytes > MAX_FIELD_BYTES:
            raise Unfit(f"{value.size_bytes:,} bytes; PostgreSQL holds {MAX_FIELD_BYTES:,} in one value")
        copy.write(struct.pack("!i", value.size_bytes))
        decoder = codecs.getincrementaldecoder("utf-8")() if text else None
        for chunk in self._read(value):
            if decoder:
                _check_text(decoder, chunk)
            copy.write(chunk)
        if decoder:
            _check_text(decoder, b"", final=True)


def _check_text(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> None:
    if b"\0" in chunk:
        raise Unfit(
            "a large text with a NUL character (U+0000), which PostgreSQL cannot store; of the policies only bytea "
            "reaches values of this size"
        )
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        raise Unfit(f"a large text that is not valid UTF-8 ({error.reason})") from error
