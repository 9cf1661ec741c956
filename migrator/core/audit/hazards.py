"""All hazards of a program, in the order of files and lines."""

from __future__ import annotations

from dataclasses import replace

from migrator.core.audit import connections, files, statements, transactions
from migrator.core.audit.codebase import Codebase
from migrator.core.audit.rules import Hazard
from migrator.core.model import Schema


def hazards_of(code: Codebase, schema: Schema) -> list[Hazard]:
    found = {
        *connections.hazards(code),
        *transactions.hazards(code),
        *statements.hazards(code, schema),
        *files.hazards(code),
    }
    once = {(hazard.file, hazard.line, hazard.rule): hazard for hazard in sorted(found, reverse=True)}
    return [replace(hazard, source=code.line(hazard.file, hazard.line)) for hazard in sorted(once.values())]
