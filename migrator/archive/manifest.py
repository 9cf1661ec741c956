"""What an export says of itself: manifest.json, written when all else is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from migrator.archive.files import AGAIN
from migrator.core.errors import SourceError
from migrator.core.model import Schema

VERSION = 1
NAME = "manifest.json"


@dataclass(frozen=True)
class DataFile:
    """The rows of a table, or of one range of its rowids, as one binary COPY stream.

    `digest` is of the source, by which a later attempt finds out whether the rows have changed since; `careful` says
    whether it is of the values that SQLite holds and not of the stream. `bytes` and `sha256` are of the file as it
    lies on the disk, `content_sha256` is of the stream in it. `name` is relative to the export.
    """

    name: str
    table: str
    low: int | None
    high: int | None
    rows: int
    rejected: int
    careful: bool
    digest: str
    bytes: int
    sha256: str
    content_sha256: str


@dataclass(frozen=True)
class ExportedTable:
    """`columns` and `types` are the target's names and psycopg's names of the types in the streams."""

    source: str
    target: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def rejected(self) -> int:
        return sum(file.rejected for file in self.files)


@dataclass(frozen=True)
class Merge:
    """A merging query: the rows of the tables that it covers, and how many the plan lets it leave out."""

    query: str
    rows_in: dict[str, int]
    accepted: int


@dataclass(frozen=True)
class ExportedView:
    """The result that the view gave in SQLite, in `file`; or why there is none. `tables` are those it reads."""

    source: str
    tables: tuple[str, ...] = ()
    file: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Manifest:
    """`others` are the SHA-256 of every other file by name; `sequences` the highest ids that SQLite has given out."""

    version: int
    migrator: str
    sqlite: str
    source: str
    exported_at: str
    snapshot: str
    stamp: list[list[str | int]]  # size and time of change of the source's files before they were read
    fingerprint: dict[str, str]
    schema: Schema
    tables: tuple[ExportedTable, ...]
    sequences: dict[str, int]
    merges: tuple[Merge, ...]
    views: tuple[ExportedView, ...]
    answers: dict[str, list[list[int | float | str | None]]]
    others: dict[str, str]

    def files(self) -> Iterator[DataFile]:
        for table in self.tables:
            yield from table.files

    def to_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Raises SourceError for a folder that holds no finished export, or one of another version."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{folder} holds no finished export.",
            f"{path}: {error.strerror}.",
            "Give the folder that migrator export has written; one that was interrupted goes on with the same command.",
        ) from error
    try:
        if (version := msgspec.json.decode(raw, type=_Versioned).version) != VERSION:
            raise SourceError(
                f"The export in {folder} has version {version}.",
                f"This migrator reads version {VERSION}.",
                "Load it with the migrator that has written it, or export again.",
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise SourceError(f"{path} is damaged.", f"{error}.", AGAIN) from error
    for name in (*(file.name for file in manifest.files()), *(view.file for view in manifest.views), *manifest.others):
        if name is not None and not _lies_within(name):
            raise SourceError(f"{path} is damaged.", f"It names a file outside of the export: {name!r}.", AGAIN)
    return manifest


class _Versioned(msgspec.Struct):
    version: int


def _lies_within(name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and not Path(name).is_absolute() and ".." not in parts
