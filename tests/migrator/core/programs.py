"""Small programs, written down as texts: what an audit makes of them, as lines that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from textwrap import dedent

from migrator.core.audit.accesses import accesses_of
from migrator.core.audit.codebase import Codebase
from migrator.core.audit.hazards import hazards_of
from migrator.core.audit.sent import Script
from migrator.core.progress import Silent
from migrator.core.python.modules import read_module
from migrator.steps.definitions import Tables

Program = str | Mapping[str, str]  # one module, or texts by their paths


def read(program: Program, *above: str) -> Codebase:
    """`above` are the folders around the program. Raises Unreadable."""
    files = {"app.py": program} if isinstance(program, str) else program
    texts = {name: dedent(text).lstrip("\n") for name, text in files.items()}
    modules = [read_module(PurePosixPath(name), text) for name, text in texts.items() if name.endswith(".py")]
    scripts = [Script(name, text) for name, text in texts.items() if name.endswith(".sql")]
    return Codebase(modules, above, scripts)


def accesses(program: Program, *above: str) -> list[str]:
    """`function reads table`, in the order of files and lines."""
    found = accesses_of(read(program, *above).sent)
    return [f"{access.function} {access.operation}s {access.table}" for access in found]


def hazards(program: Program) -> list[str]:
    """`line rule`, in the order of files and lines; the tables are those that the program makes."""
    code = read(program)
    schema = Tables().read(code.definitions(), Silent()).schema
    return [f"{hazard.line} {hazard.rule}" for hazard in hazards_of(code, schema)]
