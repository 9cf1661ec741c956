"""The folder of an export while it is made.

manifest.json      what the export is; written last
plan.toml          the plan that was carried out; shapes.json where a profile had a part
original.json      the source's schema as SQLite holds it, for the way back
pre-data.sql       the tables
data/TABLE/…       the rows, one file for each range: binary COPY, compressed or not
post-data.sql      indexes, keys, foreign keys, positions of the sequences, views
load.sql           all of it for psql
views/…            what the views gave in SQLite, for the proof
rejects.jsonl, healed.jsonl
progress.jsonl     while the export is unfinished: what of it is written
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from migrator.archive.files import ADVICE
from migrator.archive.manifest import NAME as MANIFEST
from migrator.archive.manifest import DataFile
from migrator.core.errors import Failure, UsageError
from migrator.disk import PARTIAL, lock_folder, write_whole, writing

PROGRESS = "progress.jsonl"
VERSION = 1
_BEFORE_ANYTHING = {"lock", "scratch", PROGRESS + PARTIAL}


@dataclass(frozen=True)
class Exported:
    """One finished data file, the digest of what its table was made of, and the lines of its rejects and heals."""

    file: DataFile
    definition: str
    rejects: tuple[dict[str, Any], ...] = ()
    healed: tuple[dict[str, Any], ...] = ()


@dataclass
class ExportFolder:
    """`made` says that it did not exist before.

    `known` is what an earlier attempt has finished; `count` says how many files are finished now.
    """

    path: Path
    lock: IO[str]
    source: str
    made: bool
    known: list[Exported] = field(default_factory=list)
    count: int = 0

    def keep(self, kept: Iterable[Exported]) -> None:
        """Begin the attempt: forget what is not kept, and remove every data file that belongs to nothing."""
        kept = list(kept)
        header = {"version": VERSION, "source": self.source}
        lines = [json.dumps(header), *(_line(item) for item in kept)]
        write_whole(self.path / PROGRESS, "".join(line + "\n" for line in lines), ADVICE)
        self.count = len(kept)
        names = {item.file.name for item in kept}
        with writing(self.path / "data", ADVICE):
            (self.path / "data").mkdir(exist_ok=True)
            for path in sorted((self.path / "data").glob("*/*")):
                if str(path.relative_to(self.path)) not in names:
                    path.unlink()

    def add(self, exported: Exported) -> None:
        """From now on a later attempt knows of it."""
        path = self.path / PROGRESS
        with writing(path, ADVICE), path.open("a", encoding="utf-8") as file:
            file.write(_line(exported) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.count += 1

    def write(self, name: str, text: str) -> None:
        write_whole(self.path / name, text, ADVICE)

    def write_manifest(self, text: str) -> None:
        self.write(MANIFEST, text)

    def close(self) -> None:
        """Let go of the folder, and take it back where nothing was written: the source or the plan was wrong."""
        self.lock.close()
        with suppress(OSError):
            if {item.name for item in self.path.iterdir()} <= {"lock"}:
                (self.path / "lock").unlink(missing_ok=True)
                if self.made:
                    self.path.rmdir()

    def finish(self, manifest: str) -> None:
        """The export is one from here on."""
        shutil.rmtree(self.path / "scratch", ignore_errors=True)
        self.write_manifest(manifest)
        (self.path / PROGRESS).unlink(missing_ok=True)
        (self.path / "lock").unlink(missing_ok=True)


def data_name(table: str, low: int | None, high: int | None, suffix: str) -> str:
    """Of letters that need no quoting anywhere; no two tables share a folder."""
    slug = re.sub(r"[^a-z0-9]+", "_", table.lower()).strip("_")[:40] or "table"
    digest = hashlib.sha256(table.encode()).hexdigest()[:8]
    name = "all" if low is None else f"{low}_{high}"
    return f"data/{slug}-{digest}/{name}.copy{suffix}"


def open_export(path: Path, source: Path) -> ExportFolder:
    """A new export, or an unfinished one that goes on. Raises UsageError where the folder holds something else."""
    made = not path.exists()
    try:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
        present = {item.name for item in path.iterdir()}
    except OSError as error:
        raise Failure(f"The folder {path} cannot be made.", f"{error.strerror}.", "Choose another one.") from error
    if MANIFEST in present and PROGRESS not in present:
        raise UsageError(
            f"{path} holds a finished export.", "", f"Choose another folder, or remove that one: rm -r {path}"
        )
    if present - _BEFORE_ANYTHING and PROGRESS not in present:
        raise UsageError(
            f"{path} is not empty.",
            f"It holds {', '.join(sorted(present)[:5])}, and no unfinished export.",
            "Choose a folder that is empty or does not exist.",
        )
    folder = ExportFolder(path, lock_folder(path, "Choose another folder."), str(source.resolve()), made)
    if PROGRESS in present:
        (path / MANIFEST).unlink(missing_ok=True)  # it was killed between the last two steps
        folder.known = _read_progress(folder)
        folder.count = len(folder.known)
    return folder


def _read_progress(folder: ExportFolder) -> list[Exported]:
    """What is told in whole lines; the last one may have been cut off by a full disk."""
    header, *lines = (folder.path / PROGRESS).read_text(encoding="utf-8").split("\n")[:-1] or ["{}"]
    begun = json.loads(header)
    if begun.get("version") != VERSION or begun.get("source") != folder.source:
        raise UsageError(
            f"{folder.path} holds the unfinished export of {begun.get('source', 'something else')}.",
            "",
            f"Choose another folder, or remove that one: rm -r {folder.path}",
        )
    found = [msgspec.json.decode(line, type=Exported) for line in lines]
    return [item for item in found if _is_whole(folder.path / item.file.name, item.file.bytes)]


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _line(exported: Exported) -> str:
    return msgspec.json.encode(exported).decode()
