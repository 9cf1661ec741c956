"""Rows with a value too large for memory: binary COPY written field by field, the large ones in chunks."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from migrator.core.convert import Unfit
from migrator.core.values import LargeValue
from migrator.target.binary import NULL, RowEncoder

MAX_FIELD_BYTES = 0x3FFFFFFF  # PostgreSQL's limit for one value: 1 GB minus one byte


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

    def __init__(self, encoder: RowEncoder, read: ChunkReader, encoding: str) -> None:
        self._encoder = encoder
        self._read = read
        self._encoding = encoding

    def check(self, values: Sequence[object], is_text: Sequence[bool]) -> None:
        """Read every large value once. Raises LargeUnfit for one that PostgreSQL cannot hold."""
        self.write(lambda _: None, values, is_text)

    def write(self, write: Callable[[bytes], object], values: Sequence[object], is_text: Sequence[bool]) -> None:
        """The row, without header and trailer. Raises LargeUnfit in its middle, and what the encoder raises before."""
        small = [None if isinstance(value, LargeValue) else value for value in values]
        encoded = self._encoder.fields(small)
        write(struct.pack("!h", len(values)))
        for position, (value, raw, text) in enumerate(zip(values, encoded, is_text, strict=True)):
            if isinstance(value, LargeValue):
                try:
                    self._write_large(write, value, text)
                except Unfit as error:
                    raise LargeUnfit(str(error), position) from None
            elif raw is None:
                write(NULL)
            else:
                write(struct.pack("!i", len(raw)) + bytes(raw))

    def _write_large(self, write: Callable[[bytes], object], value: LargeValue, text: bool) -> None:
        if text and self._encoding != "utf-8":
            raise Unfit(
                f"a text of {value.size_bytes:,} bytes in a {self._encoding} database cannot be carried in chunks"
            )
        if value.size_bytes > MAX_FIELD_BYTES:
            raise Unfit(f"{value.size_bytes:,} bytes; PostgreSQL holds {MAX_FIELD_BYTES:,} in one value")
        write(struct.pack("!i", value.size_bytes))
        decoder = codecs.getincrementaldecoder("utf-8")() if text else None
        for chunk in self._read(value):
            if decoder:
                _check_text(decoder, chunk)
            write(chunk)
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
