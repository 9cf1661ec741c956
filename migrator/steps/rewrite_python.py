"""rewrite python: the SQL of a program together with the code around it."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from migrator.core.audit.result import Unread
from migrator.core.errors import UsageError
from migrator.core.findings import Finding, Severity
from migrator.core.progress import Progress
from migrator.core.recoding.edits import NewSource
from migrator.core.recoding.recode import Draft, Recoder
from migrator.core.recoding.scripts import recode_script
from migrator.core.recoding.target import SUPPORT, TARGETS
from migrator.core.sql.placeholders import Driver
from migrator.disk import put_in_place, writing
from migrator.steps.definitions import Tables
from migrator.steps.program import read_files

_PARTIAL = ".part"
_MANY = 24  # files; for fewer, starting processes takes longer than writing them


@dataclass(frozen=True)
class RecodeRequest:
    paths: tuple[Path, ...]
    driver: Driver
    tables: Tables


@dataclass(frozen=True)
class Rewriting:
    """`sources` are the files that change, the module beside the program among them; `findings` what stays open."""

    root: Path
    sources: tuple[NewSource, ...]
    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]

    @property
    def open(self) -> tuple[Finding, ...]:
        """What a person has to do: all but the notes."""
        return tuple(finding for finding in self.findings if finding.severity is not Severity.NOTE)

    def diff(self) -> Iterator[str]:
        """Lines of a unified diff that git and patch take."""
        for source in self.sources:
            before = f"a/{source.path}" if source.old else "/dev/null"
            old, new = _lines(source.old), _lines(source.new)
            for line in difflib.unified_diff(old, new, before, f"b/{source.path}"):
                yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def rewrite_python(request: RecodeRequest, progress: Progress) -> Rewriting:
    """What a rewrite would do; it writes nothing. Raises UsageError, SourceError, PlanError."""
    found = read_files(request.paths, progress)
    definitions = request.tables.read(found.code.definitions(), progress)
    target = TARGETS[request.driver]
    recoding = Recoder(found.code, definitions, target, request.tables.db.name if request.tables.db else "").recode()
    results = _written(recoding.drafts, progress)
    changed = [item for item in results if isinstance(item, NewSource) and item.new != item.old]
    texts = () if recoding.refused else found.code.scripts
    scripts = [recode_script(script.name, script.text, definitions, request.driver) for script in texts]
    beside = found.top / f"{SUPPORT}.py"
    if any(f"{SUPPORT}." in source.new for source in changed) and not beside.exists():
        name = PurePosixPath(beside.relative_to(found.root).as_posix())
        changed.insert(0, NewSource(name, "", target.support(_has_coroutines(changed))))
    changed += [source for source, _ in scripts if source.new != source.old]
    unwritten = (item for item in results if isinstance(item, Finding))
    findings = [*recoding.findings, *unwritten, *(finding for _, inner in scripts for finding in inner)]
    return Rewriting(found.root, tuple(changed), tuple(findings), found.unread)


def _written(drafts: Sequence[Draft], progress: Progress) -> list[NewSource | Finding]:
    """Each in turn, or, where there are many, by several processes: keeping every space takes its time."""
    progress.start("Rewriting", len(drafts))
    results = []
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) if len(drafts) > _MANY else nullcontext() as pool:
        for result in (pool.map if pool else map)(Draft.write, drafts):
            results.append(result)
            progress.advance()
    progress.finish()
    return results


def _lines(text: str) -> list[str]:
    """As patch counts them: a form feed ends none."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _has_coroutines(sources: Iterable[NewSource]) -> bool:
    return any(re.search(rf"\b{SUPPORT}\.\w+_async\b", source.new) for source in sources)


def write(rewriting: Rewriting) -> None:
    """Each file as a whole, in its own encoding and with its own permissions. Raises UsageError, Failure.

    A file that somebody changed since it was read keeps that change, and nothing is written.
    """
    for source in rewriting.sources:
        if source.old and _decoded(rewriting.root / source.path) != source.old:
            raise UsageError(
                f"{source.path} has changed meanwhile.", "Nothing was written.", "Run the same command again."
            )
    for source in rewriting.sources:
        _write(rewriting.root / source.path, source.new)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + _PARTIAL)
    with writing(path, "Check the folder's permissions."):
        raw = text.encode(_encoding(path) if path.exists() else "utf-8")
        partial.write_bytes(raw)
        if path.exists():
            shutil.copymode(path, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        put_in_place(partial, path)


def _decoded(path: Path) -> str:
    return path.read_bytes().decode(_encoding(path)) if path.exists() else ""


def _encoding(path: Path) -> str:
    if path.suffix != ".py":
        return "utf-8"
    encoding, _ = tokenize.detect_encoding(BytesIO(path.read_bytes()).readline)
    return encoding
