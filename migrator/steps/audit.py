"""audit: who reads and writes which table, through what, and what stands in the way of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.result import Audit, Sizes, audit
from migrator.core.audit.rules import Hazard
from migrator.core.model import fold
from migrator.core.progress import Progress
from migrator.core.recoding.left_over import left_over
from migrator.steps.definitions import Tables
from migrator.steps.inspect import inspect
from migrator.steps.program import read_files


@dataclass(frozen=True)
class AuditRequest:
    paths: tuple[Path, ...]
    tables: Tables


def make_audit(request: AuditRequest, progress: Progress) -> Audit:
    """Raises UsageError, SourceError, PlanError."""
    files = read_files(request.paths, progress)
    definitions = request.tables.read(files.code.definitions(), progress)
    sizes = _sizes(request.tables.db, progress)
    progress.start("Trying the statements", len(files.code.sent))
    made = audit(files.code, definitions, sizes, files.unread, progress, _left(files.code))
    progress.finish()
    return made


def _left(code: Codebase) -> Iterator[Hazard]:
    """In a program that was rewritten: what is SQLite's still."""
    for finding in left_over(code, (), code.target) if code.target is not None else ():
        file, _, line = finding.where.rpartition(":")
        yield Hazard(file, int(line), finding.rule, finding.message.removesuffix("."), code.line(file, int(line)))


def _sizes(db: Path | None, progress: Progress) -> Sizes:
    if db is None:
        return Sizes()
    inspection = inspect(db, 1, progress)
    rows = {fold(name): census.rows for name, census in inspection.census.items()}
    return Sizes(rows, {fold(name): size for name, size in inspection.sizes.items()})
