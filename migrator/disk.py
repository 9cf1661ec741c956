"""Writing to the disk so that a file is whole or not there, and folders that one process at a time works in."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from migrator.core.errors import Failure

PARTIAL = ".part"


@contextmanager
def writing(path: Path, advice: str) -> Iterator[None]:
    """Turn a full disk or a missing permission into an error a person can act on."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{path} cannot be written.", f"{error.strerror}.", advice) from error


def write_whole(path: Path, text: str, advice: str) -> None:
    """The file as a whole, or as it was before. Raises Failure."""
    partial = path.with_name(path.name + PARTIAL)
    with writing(path, advice):
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(partial, path)


def write_text(path: Path, text: str, advice: str) -> None:
    """What a person asked for, wherever that is: a file, a pipe, a device. Raises Failure."""
    with writing(path, advice):
        path.write_text(text, encoding="utf-8")


def put_in_place(partial: Path, path: Path) -> None:
    """Give a file that is on the disk its name, and have the name on the disk."""
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in it on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_abandoned(folder: Path) -> bool:
    """Whether a process of this computer was at work in the folder, and none is any more."""
    try:
        with (folder / "lock").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # it is held, or was never here
        return False
    return True


def lock_folder(folder: Path, advice: str) -> IO[str]:
    """Held until the process ends, however that happens. Raises Failure where another process holds it."""
    with writing(folder / "lock", advice):
        file = (folder / "lock").open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(
            f"The run in {folder} is going on.", "Another process is at work in it.", "Wait for it, or end it first."
        ) from None
    return file
