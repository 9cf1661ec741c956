"""PostgreSQL's binary COPY format, written and read without a server; psycopg's own dumpers and loaders do the values.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import psycopg
from psycopg import adapt, pq
from psycopg.abc import Buffer

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)
CHUNK_BYTES = 256 * 1024

_count = struct.Struct("!h")
_length = struct.Struct("!i")


class RowEncoder:
    """Rows of these types (psycopg's names) as the server expects them behind the header."""

    def __init__(self, types: Sequence[str], connection: psycopg.Connection | None = None) -> None:
        self._transformer = adapt.Transformer(connection)
        registry = (connection or psycopg).adapters.types
        self._transformer.set_dumper_types([registry.get_oid(name) for name in types], pq.Format.BINARY)
        self._formats = [adapt.PyFormat.BINARY] * len(types)
        self._head = _count.pack(len(types))

    def fields(self, row: Sequence[object]) -> Sequence[bytes | None]:
        """Raises psycopg.DataError, TypeError, ValueError or OverflowError for a value that is not of its type."""
        return self._transformer.dump_sequence(row, self._formats)  # type: ignore[return-value]

    def encode(self, rows: Iterable[Sequence[object]]) -> bytes:
        """All of the rows, or an error as from `fields`."""
        parts: list[Buffer] = []
        add, pack = parts.append, _length.pack
        dump, formats = self._transformer.dump_sequence, self._formats
        for row in rows:
            add(self._head)
            for raw in dump(row, formats):
                if raw is None:
                    add(NULL)
                else:
                    add(pack(len(raw)))
                    add(raw)
        return b"".join(parts)


class RowDecoder:
    """What the loaders make of the fields of a row. Times are in UTC."""

    def __init__(self, types: Sequence[str]) -> None:
        self._transformer = adapt.Transformer()
        registry = psycopg.adapters.types
        self._transformer.set_loader_types([registry.get_oid(name) for name in types], pq.Format.BINARY)

    def decode(self, fields: Sequence[bytes | None]) -> tuple[object, ...]:
        """Raises psycopg.DataError for bytes that are not of their type."""
        return self._transformer.load_sequence(fields)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Broken(ValueError):
    """Bytes that are not in this format."""


class FieldReader:
    """The fields of each row of a stream.

    A field of more than `most_bytes` is handed to `spill` while it is read, as (size, chunks), and what that returns
    stands in the row; so no row needs more memory than its small fields.
    """

    def __init__(
        self,
        stream: Readable,
        columns: int,
        most_bytes: int = 2**31,
        spill: Callable[[int, int, Iterator[bytes]], object] | None = None,
    ) -> None:
        self._stream = stream
        self._columns = columns
        self._most = most_bytes
        self._spill = spill
        self._data = b""
        self._at = 0

    def rows(self) -> Iterator[list[object]]:
        """Raises Broken, also where the stream ends before its trailer."""
        if self._take(len(HEADER)) != HEADER:
            raise Broken("it does not begin as binary COPY data does")
        while (count := _count.unpack(self._take(2))[0]) != -1:
            if count != self._columns:
                raise Broken(f"a row has {count} fields, and the table {self._columns} columns")
            yield self._row()
        if self._at != len(self._data) or self._stream.read(1):
            raise Broken("something follows its end")

    def _row(self) -> list[object]:
        fields: list[object] = []
        add, unpack = fields.append, _length.unpack_from
        for position in range(self._columns):
            if len(self._data) - self._at < 4:
                self._fill(4)
            (size,) = unpack(self._data, self._at)
            self._at += 4
            if size < 0:
                add(None)
            elif size > self._most and self._spill:
                add(self._spill(position, size, self._chunks(size)))
            else:
                end = self._at + size
                if end > len(self._data):
                    self._fill(size)
                    end = self._at + size
                add(self._data[self._at : end])
                self._at = end
        return fields

    def _take(self, size: int) -> bytes:
        if len(self._data) - self._at < size:
            self._fill(size)
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def _fill(self, size: int) -> None:
        """Have `size` bytes at hand."""
        parts = [self._data[self._at :]]
        held = len(parts[0])
        while held < size:
            more = self._stream.read(max(CHUNK_BYTES, size - held))
            if not more:
                raise Broken("it ends in the middle of a row")
            parts.append(more)
            held += len(more)
        self._data, self._at = b"".join(parts), 0

    def _chunks(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self._take(min(size, CHUNK_BYTES))
            size -= len(chunk)
            yield chunk
