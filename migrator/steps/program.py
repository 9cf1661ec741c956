"""The files of a program: which there are, and what they say. What cannot be read is told, and the rest goes on."""

from __future__ import annotations

import os
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.result import Unread
from migrator.core.audit.sent import Script
from migrator.core.errors import UsageError
from migrator.core.progress import Progress
from migrator.core.python.modules import Module, Unreadable, read_module

# What one expression may be depends on others, through many names and functions; each takes some frames.
_FRAMES = 10_000
LARGEST_BYTES = 8 * 1024**2  # a larger file is data, whatever its name
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"}


@dataclass(frozen=True)
class Files:
    """`root` is what the names of files are relative to; `top` is where imports begin."""

    root: Path
    top: Path
    code: Codebase
    unread: tuple[Unread, ...]


def read_files(paths: Sequence[Path], progress: Progress) -> Files:
    """All Python and SQL files in and below these paths. Raises UsageError where there is none."""
    top, found = _top(paths), list(dict.fromkeys(_files(paths)))
    if not found:
        names = ", ".join(map(str, paths))
        raise UsageError(f"There is no Python and no SQL in {names}.", "", "Name the folder of the program.")
    here = Path.cwd().resolve()
    root = here if top.is_relative_to(here) else top
    progress.start("Reading the code", len(found))
    modules: list[Module] = []
    scripts: list[Script] = []
    unread: list[Unread] = []
    for path in found:
        name = PurePosixPath(path.relative_to(root).as_posix())
        try:
            text = _text(path)
            if path.suffix == ".sql":
                scripts.append(Script(name.as_posix(), text))
            else:
                modules.append(read_module(name, text, PurePosixPath(path.relative_to(top).as_posix())))
        except Unreadable as error:
            unread.append(Unread(_printable(name), error.line, f"{error}"))
        progress.advance()
    progress.finish()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))
    return Files(root, top, Codebase(modules, top.parts[1:], scripts), tuple(unread))


def _top(paths: Sequence[Path]) -> Path:
    """The folder that holds all of them: imports begin there."""
    folders = [_resolved(path) if path.is_dir() else _resolved(path).parent for path in paths]
    return Path(os.path.commonpath(folders))


def _resolved(path: Path) -> Path:
    """Without links in the way to it; a link to a file keeps its own name."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from _below(_resolved(path))
        elif os.path.lexists(path):
            yield _resolved(path)
        else:
            raise UsageError(f"{path} is not there.", "", "Name a file or folder of the program.")


def _below(folder: Path) -> Iterator[Path]:
    """Without what others wrote: hidden folders, environments, what was built; without what a link has twice.

    A folder that cannot be listed stands among the files, so that it is told.
    """
    closed: list[OSError] = []
    for current, folders, files in os.walk(folder, onerror=closed.append):
        here = Path(current)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        # os.path says no where Path raises: a folder that is closed to us is told below.
        folders[:] = [name for name in folders if not os.path.exists(here / name / "pyvenv.cfg")]  # noqa: PTH110
        for path in (here / name for name in sorted(files) if name.endswith((".py", ".sql"))):
            if not (path.is_symlink() and path.exists() and path.resolve().is_relative_to(folder)):
                yield path
    yield from (Path(error.filename) for error in closed)


def _printable(name: PurePosixPath) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _text(path: Path) -> str:
    """Raises Unreadable."""
    if not path.as_posix().isascii() and _printable(PurePosixPath(path)) != path.as_posix():
        raise Unreadable("its name is not UTF-8")
    try:
        if path.is_dir():
            os.scandir(path).close()
        if path.exists() and not path.is_file():
            raise Unreadable("it is no file")
        if path.stat().st_size > LARGEST_BYTES:
            raise Unreadable(f"it is larger than {LARGEST_BYTES // 1024**2} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{error.strerror}") from None
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline) if path.suffix == ".py" else ("utf-8-sig", [])
        text = raw.decode(encoding)
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        line = raw[: error.start].count(b"\n") + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise Unreadable("it is not UTF-8, nor what its first lines say", line) from None
    if "\0" in text:
        raise Unreadable("it has a NUL byte", text[: text.index("\0")].count("\n") + 1)
    return text
