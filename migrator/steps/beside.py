"""Where the module beside a program goes, and how the program's files import it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from migrator.core.errors import UsageError
from migrator.core.recoding.target import SUPPORT


@dataclass(frozen=True)
class Beside:
    """`package` is the one that it is imported from; empty where it is imported by its name alone."""

    path: Path
    package: str = ""


def place_beside(top: Path, files: Iterable[Path]) -> Beside:
    """Where every one of these files can import it from.

    A program in a package has it there: that can be imported wherever the package can. Scripts, and a package that
    lies among them, have it in the folder `top` that holds them all.
    """
    packages = {_package(file) for file in files}
    real = sorted(package for package in packages if package is not None)
    if not real or (None in packages and all(package.parent == top for package in real)):
        return Beside(top / f"{SUPPORT}.py")
    return Beside(real[0] / f"{SUPPORT}.py", real[0].name)


def _package(file: Path) -> Path | None:
    """The folder of the outermost package that the file is in."""
    found, folder = None, file.parent
    while (folder / "__init__.py").exists():
        found, folder = folder, folder.parent
    return found


def refuse_other(path: Path, is_ours: bool) -> None:
    """Raises UsageError where the program has a module of its own under that name."""
    if path.exists() and not is_ours:
        raise UsageError(
            f"{path} is there, and is none that migrator has written.",
            "A rewritten program imports a module of this name.",
            "Give yours another name first.",
        )
