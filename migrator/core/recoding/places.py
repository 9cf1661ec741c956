"""Where a rewrite looks, where its findings stand, and which half of the module beside the program a call needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from migrator.core.findings import Finding, Severity
from migrator.core.python.modules import Scope
from migrator.core.python.sites import Site
from migrator.core.python.values import Made, Value


def place_of(site: Site) -> str:
    return f"{site.scope.module.path.as_posix()}:{site.call.line}"


def finding(site: Site, rule: str, message: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(rule, severity, place_of(site), message)


def library_suffix(handles: Iterable[Value]) -> str:
    """What the names of functions for coroutines end with."""
    return "_async" if any(isinstance(item, Made) and item.type.startswith("aiosqlite.") for item in handles) else ""


def attributes_in(scope: Scope) -> Iterator[ast.Attribute]:
    """Every attribute that is read in a scope, without those of the scopes inside it."""
    inner = {other.node for other in scope.inner}
    waiting: list[ast.AST] = [scope.node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node
        waiting += [child for child in ast.iter_child_nodes(node) if child not in inner]
