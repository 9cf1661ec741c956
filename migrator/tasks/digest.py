"""A digest of what a unit was made of, by which a later attempt finds out whether the source has changed since.

Rows that went straight are digested as they were sent, which costs next to nothing; where a row had to be looked at by
itself, the values that SQLite holds are. Either is the same again as long as source and plan are.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Iterable
from functools import partial

import psycopg
from psycopg.copy import LibpqWriter

from migrator.core.values import BrokenText, LargeValue, Value
from migrator.source.rows import Range
from migrator.tasks.reading import Reading


class DigestingWriter(LibpqWriter):
    """Sends what it is given to PostgreSQL and tells `report`: on a slow link a batch of rows can take minutes."""

    def __init__(self, cursor: psycopg.Cursor, report: Callable[[int], None]) -> None:
        super().__init__(cursor)
        self._hash = hashlib.sha256()
        self._report = report

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._hash.update(data)
        super().write(data)
        self._report(0)


class DryWriter(DigestingWriter):
    """Sends nothing, and ends the COPY with an error that psycopg expects: the transaction is to be rolled back."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._hash.update(data)

    def finish(self, exc: BaseException | None = None) -> None:
        super().finish(exc or RuntimeError("only the digest was asked for"))


def digest_of_values(reading: Reading, part: Range) -> bytes:
    """Of every value of the range, whatever it is."""
    found = hashlib.sha256()
    plain = partial(_plain, reading.large)
    for rowid, row in reading.rows_carefully(part):
        found.update(marshal.dumps([rowid, [plain(value) for value in row]], 2))
    return found.digest()


def _plain(read: Callable[[LargeValue], Iterable[bytes]], value: Value) -> object:
    """A value that marshal knows: BrokenText by its bytes, a large one by a digest of its own."""
    if isinstance(value, BrokenText):
        return ("broken", bytes(value.raw))
    if isinstance(value, LargeValue):
        content = hashlib.sha256()
        for chunk in read(value):
            content.update(chunk)
        return ("large", value.storage_class, value.size_bytes, content.digest())
    return value
