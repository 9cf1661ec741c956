"""A command that is given again when all is done: as long as its source is what it was, there is nothing left to do."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from migrator.archive.folder import PROGRESS
from migrator.archive.manifest import NAME as MANIFEST
from migrator.archive.manifest import read_manifest
from migrator.core.errors import SourceError
from migrator.run_folder import placed_runs
from migrator.steps.plan import PlanRequest

Stamp = list[list[str | int]]


def stamp_of(place: Path, plan: Path | None = None, planning: PlanRequest | None = None) -> Stamp:
    """Size and time of change of a database and its log, or of an export's manifest, and a digest of what was decided.

    As JSON gives it back.
    """
    # Of a folder there is the first, of a database the others.
    paths = (place / MANIFEST, place, place.with_name(place.name + "-wal"))
    decided = repr(planning).encode()
    with suppress(OSError):  # what cannot be read is told by who reads it
        decided = plan.read_bytes() if plan else decided
    files = (_file_stamp(path) for path in paths)
    return [*filter(None, files), ["decided", hashlib.sha256(decided).hexdigest()]]


def _file_stamp(path: Path) -> list[str | int]:
    """Empty for what is not there, and for an empty log: whoever opens a database may leave one."""
    with suppress(OSError):
        status = path.stat()
        if status.st_size and path.is_file():
            return [path.name, status.st_size, status.st_mtime_ns]
    return []


def exported_before(folder: Path, source: Path, stamp: Stamp) -> bool:
    """Whether the folder holds a finished export of that source, as it still is."""
    try:
        manifest = read_manifest(folder)
    except SourceError:
        return False
    unfinished = (folder / PROGRESS).exists()
    return not unfinished and (manifest.source, manifest.stamp) == (str(source.resolve()), stamp)


def finished_before(runs: Path, target: str, stamp: Stamp) -> dict[str, Any] | None:
    """The outcome of the newest run that has put into that target what bears that stamp; None where there is none.

    `target` is as it is shown.
    """
    return next((outcome for _, outcome in placed_runs(runs, target) if outcome.get("stamp") == stamp), None)
