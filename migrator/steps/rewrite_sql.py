"""rewrite sql: the statements of files, one by one, against the tables that a database has or the files make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator.core.progress import Progress
from migrator.core.redefining import defines
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten
from migrator.core.sql.split import split
from migrator.steps.definitions import Tables


@dataclass(frozen=True)
class Script:
    """SQL with a name for its findings."""

    name: str
    text: str


@dataclass(frozen=True)
class RewriteRequest:
    scripts: tuple[Script, ...]
    driver: Driver
    tables: Tables


def rewrite_sql(request: RewriteRequest, progress: Progress) -> Iterator[tuple[Script, Rewritten]]:
    """Every statement in order. Raises UsageError, SourceError, PlanError before the first one."""
    statements = [(script, statement) for script in request.scripts for statement in split(script.text)]
    created = (statement.text for _, statement in statements if defines(statement))
    definitions = request.tables.read(created, progress)
    return ((script, definitions.rewritten(item, request.driver, script.name)) for script, item in statements)
