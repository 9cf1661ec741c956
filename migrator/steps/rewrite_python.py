"""rewrite python: the SQL of a program together with the code around it."""

from __future__ import annotations

import codecs
import difflib
import os
import re
import shutil
import stat
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.result import Unread
from migrator.core.errors import UsageError
from migrator.core.findings import Finding, Severity
from migrator.core.progress import Progress
from migrator.core.recoding.edits import NewSource
from migrator.core.recoding.recode import Draft, Recoder
from migrator.core.recoding.scripts import recode_script
from migrator.core.recoding.target import SUPPORT, TARGETS, is_support
from migrator.core.sql.placeholders import Driver
from migrator.disk import put_in_place, writing
from migrator.steps.beside import place_beside, refuse_other
from migrator.steps.definitions import Tables
from migrator.steps.program import read_files

_PARTIAL = ".part"
_UNCHANGED = "Check the folder's permissions. No file was changed."
_UNFINISHED = "Check the folder's permissions, and run the same command again: files before this one are changed."
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
    drafts = recoding.drafts
    beside = place_beside(found.top, (found.root / draft.path for draft in drafts))
    results = _written([replace(draft, package=beside.package) for draft in drafts], progress)
    changed = [item for item in results if isinstance(item, NewSource) and item.new != item.old]
    texts = () if recoding.refused else found.code.scripts
    scripts = [recode_script(script.name, script.text, definitions, request.driver) for script in texts]
    if any(f"{SUPPORT}." in source.new for source in changed) and not _has_support(found.code, beside.path):
        name = PurePosixPath(os.path.relpath(beside.path, found.root))
        changed.insert(0, NewSource(name, "", target.support(_has_coroutines(changed), recoding.spellings)))
    changed += [source for source, _ in scripts if source.new != source.old]
    unwritten = (item for item in results if isinstance(item, Finding))
    findings = [*recoding.findings, *unwritten, *(finding for _, inner in scripts for finding in inner)]
    return Rewriting(found.root, tuple(changed), tuple(findings), found.unread)


def _has_support(code: Codebase, path: Path) -> bool:
    """Whether an earlier rewrite has written it. Raises UsageError where there is another module of its name."""
    is_ours = any(map(is_support, code.tree.modules))
    refuse_other(path, is_ours)
    return is_ours


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
    """All files or none, each in its own encoding and with its own permissions. Raises UsageError, Failure.

    A file that somebody changed since it was read keeps that change, and nothing is written.
    """
    files = [(_own(rewriting.root / source.path), source) for source in rewriting.sources]
    for path, source in files:
        if source.old and _decoded(path) != source.old:
            raise UsageError(
                f"{source.path} has changed meanwhile.", "Nothing was written.", "Run the same command again."
            )
        if _is_protected(path):
            raise UsageError(f"{source.path} is read-only.", "Nothing was written.", f"Run: chmod u+w {source.path}")
    partials = []
    try:
        for path, source in files:
            partials.append(path.with_name(path.name + _PARTIAL))
            _write(path, partials[-1], source.new)
        for (path, _), partial in zip(files, partials, strict=True):
            with writing(path, _UNFINISHED):
                put_in_place(partial, path)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def _own(path: Path) -> Path:
    """The file itself, where a link leads to it."""
    return path.resolve() if path.is_symlink() else path


def _is_protected(path: Path) -> bool:
    """Whether its owner may not write it: root could all the same."""
    return path.exists() and not path.stat().st_mode & stat.S_IWUSR


def _write(path: Path, partial: Path, text: str) -> None:
    with writing(path, _UNCHANGED):
        partial.write_bytes(text.encode(_encoding(path) if path.exists() else "utf-8"))
        if path.exists():
            shutil.copymode(path, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())


def _decoded(path: Path) -> str:
    return path.read_bytes().decode(_encoding(path)) if path.exists() else ""


def _encoding(path: Path) -> str:
    raw = path.read_bytes()
    if path.suffix != ".py":
        return "utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
    return encoding
