"""Data files: written so that one which is not whole never counts, and read only as they were written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from migrator.archive.compression import SUFFIX, zstd
from migrator.core.errors import SourceError
from migrator.disk import PARTIAL, put_in_place, writing
from migrator.target.binary import Readable

CHUNK_BYTES = 1024 * 1024
AGAIN = "Copy it again from where it was exported."
ADVICE = "What is written completely is kept: make room there, and run the same command again."


class _Compressor(Protocol):
    def compress(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


@dataclass(frozen=True)
class Written:
    """A whole file: its size and SHA-256 as it lies on the disk, and the SHA-256 of what it holds."""

    bytes: int
    sha256: str
    content_sha256: str


class DataWriter:
    """A file that gets its name when it is finished; a name that ends in .zst is compressed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
        self._compressor: _Compressor = zstd.ZstdCompressor() if path.name.endswith(SUFFIX) else _Plain()
        self._content, self._size = hashlib.sha256(), 0
        self._stored = hashlib.sha256() if path.name.endswith(SUFFIX) else self._content
        self._file: IO[bytes] = self._partial.open("wb")

    def write(self, data: bytes) -> None:
        self._content.update(data)
        self._store(self._compressor.compress(data))

    def finish(self) -> Written:
        """Have it on the disk, then under its name."""
        self._store(self._compressor.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        put_in_place(self._partial, self._path)
        return Written(self._size, self._stored.hexdigest(), self._content.hexdigest())

    def discard(self) -> None:
        """Leave nothing; also behind `finish`."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _store(self, data: bytes) -> None:
        if self._stored is not self._content:
            self._stored.update(data)
        self._size += len(data)
        self._file.write(data)


@contextmanager
def new_file(path: Path) -> Iterator[DataWriter]:
    """A writer of which nothing is left unless it was finished. Raises Failure where the disk refuses."""
    with writing(path, ADVICE):
        writer = DataWriter(path)
        try:
            yield writer
        finally:
            writer.discard()


@contextmanager
def open_content(path: Path) -> Iterator[Readable]:
    """What the file holds, uncompressed. Raises SourceError where it cannot be read."""
    try:
        if path.name.endswith(SUFFIX):
            with zstd.ZstdFile(path, "rb") as content:
                yield content
        else:
            with path.open("rb") as file:
                yield file
    except (OSError, EOFError, zstd.ZstdError) as error:
        raise SourceError(f"{path} cannot be read.", f"{error}.", AGAIN) from error


def check_file(path: Path, size: int, sha256: str) -> None:
    """Raise SourceError for a file that is not the one that was exported."""
    try:
        found = path.stat().st_size
        with path.open("rb") as file:
            same = found == size and hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as error:
        raise SourceError(f"{path} cannot be read.", f"{error.strerror}.", AGAIN) from error
    if not same:
        raise SourceError(
            f"{path} is not the file that was exported.",
            f"It has {found:,} bytes and another SHA-256 than the manifest says."
            if found == size
            else f"It has {found:,} bytes, and the manifest says {size:,}.",
            AGAIN,
        )
