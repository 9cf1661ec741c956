"""Where a finding of a rewrite stands, and which half of the module beside the program a call belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.core.findings import Finding, Severity
from migrator.core.python.sites import Site
from migrator.core.python.values import Made, Value


def place_of(site: Site) -> str:
    return f"{site.scope.module.path.as_posix()}:{site.call.line}"


def finding(site: Site, rule: str, message: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(rule, severity, place_of(site), message)


def library_suffix(handles: Iterable[Value]) -> str:
    """What the names of functions for coroutines end with."""
    return "_async" if any(isinstance(item, Made) and item.type.startswith("aiosqlite.") for item in handles) else ""
