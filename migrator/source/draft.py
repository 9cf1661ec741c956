"""Databases without rows, made by statements that come from anybody, to see what these define."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from migrator.core.model import Schema
from migrator.source.schema import read_schema

# A query in CREATE TABLE … AS is carried out, so it must come to an end.
_REFUSED = {apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH, apsw.SQLITE_PRAGMA, apsw.SQLITE_RECURSIVE}
_REFUSED_FUNCTIONS = {"load_extension", "fts3_tokenizer", "sqlite_log"}
_LONGEST_DRAFTED = 1_000_000


class Draft:
    """It takes what defines tables, indexes, views and triggers; nothing else is carried out."""

    def __init__(self, name: str) -> None:
        self._connection = connection = apsw.Connection(name)
        connection.pragma("user_version", 1)  # an empty file would be no database
        connection.pragma("synchronous", "OFF")  # it is thrown away
        connection.authorizer = _creating
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LONGEST_DRAFTED)

    def define(self, sql: str) -> str | None:
        """What SQLite says against it, where it refuses the statement."""
        try:
            self._connection.execute(sql)
        except apsw.Error as error:
            return str(error)
        return None

    def schema(self) -> Schema:
        self._connection.authorizer = None
        try:
            return read_schema(self._connection).schema
        finally:
            self._connection.authorizer = _creating

    def close(self) -> None:
        self._connection.close()


@contextmanager
def drafting(definitions: Iterable[str]) -> Iterator[Draft]:
    """In memory, with what these statements make; what SQLite refuses of them is left out."""
    draft = Draft(":memory:")
    try:
        for sql in definitions:
            draft.define(sql)
        yield draft
    finally:
        draft.close()


def draft_database(path: Path, definitions: Iterable[str]) -> dict[str, str]:
    """A file with what these statements make, and what SQLite says of those that it refuses."""
    draft = Draft(str(path))
    try:
        return {sql: said for sql in definitions if (said := draft.define(sql)) is not None}
    finally:
        draft.close()


def _creating(action: int, what: str | None, name: str | None, *__: str | None) -> int:
    """The statements come from anybody: they may define, and not read, load or open anything."""
    if action == apsw.SQLITE_FUNCTION:
        return apsw.SQLITE_DENY if name is None or name.lower() in _REFUSED_FUNCTIONS else apsw.SQLITE_OK
    checks = action == apsw.SQLITE_PRAGMA and what == "quick_check"  # by ALTER TABLE itself
    return apsw.SQLITE_DENY if action in _REFUSED and not checks else apsw.SQLITE_OK
