"""What becomes of the names of sqlite3 and aiosqlite, for each driver."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from migrator.core.findings import Finding, Severity
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Module, Scope
from migrator.core.python.values import External
from migrator.core.recoding.edits import Edits, Replaced

SUPPORT = "postgresql"  # the module that is written beside the program

_ERRORS = (
    *("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "IntegrityError", "InternalError"),
    *("ProgrammingError", "NotSupportedError"),
)
PSYCOPG: Mapping[str, str] = {
    **{f"sqlite3.{name}": f"psycopg.{name}" for name in _ERRORS},
    # A table or column that is not there is a ProgrammingError in PostgreSQL's driver.
    "sqlite3.OperationalError": "(psycopg.OperationalError, psycopg.ProgrammingError)",
    "sqlite3.Connection": "psycopg.Connection",
    "sqlite3.Cursor": "psycopg.Cursor",
    "sqlite3.Row": f"{SUPPORT}.Row",
    "sqlite3.connect": f"{SUPPORT}.connect",
    "aiosqlite.Connection": "psycopg.AsyncConnection",
    "aiosqlite.Cursor": "psycopg.AsyncCursor",
    "aiosqlite.connect": f"{SUPPORT}.connect_async",
    **{f"aiosqlite.{name}": f"psycopg.{name}" for name in _ERRORS},
    "aiosqlite.OperationalError": "(psycopg.OperationalError, psycopg.ProgrammingError)",
}


def renamed(module: Module, inference: Inference, edits: Edits, kept: frozenset[ast.AST]) -> Iterator[Finding]:
    """Puts the new names in the place of the old ones; what has none is a finding. `kept` stays SQLite's."""
    for scope, node in _references(module):
        names = {value.name for value in inference.of(node, scope) if isinstance(value, External)}
        old = next((name for name in names if name.startswith(("sqlite3.", "aiosqlite."))), None)
        if old is None or node in kept:
            continue
        new = PSYCOPG.get(old)
        if new is None:
            place = f"{module.path.as_posix()}:{node.lineno}"
            yield Finding("sqlite-api", Severity.WARNING, place, f"{old} has no counterpart in psycopg.")
        elif not _is_row_factory(node, scope):
            edits.add(node, Replaced(new))


def _references(module: Module) -> Iterator[tuple[Scope, ast.Attribute | ast.Name]]:
    """Names and attributes that are read, with the scope they stand in; of a.b.c only the whole."""
    for scope in module.scopes:
        yield from ((scope, node) for node in _own(scope) if isinstance(node.ctx, ast.Load))


def _own(scope: Scope) -> Iterator[ast.Attribute | ast.Name]:
    inner = {other.node for other in scope.inner}
    waiting: list[ast.AST] = [scope.node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute | ast.Name):
            yield node
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                continue
        for child in ast.iter_child_nodes(node):
            if child not in inner:
                waiting.append(child)
            else:
                waiting += _outside(child)


def _outside(node: ast.AST) -> list[ast.AST]:
    """What of a function or class is read in the scope around it: decorators, bases, defaults, annotations."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.Lambda):
        return [*node.args.defaults]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    annotations = [item.annotation for item in arguments if item.annotation is not None]
    found: list[ast.AST] = [
        *node.decorator_list,
        *node.args.defaults,
        *filter(None, node.args.kw_defaults),
        *annotations,
    ]
    return [*found, node.returns] if node.returns is not None else found


def _is_row_factory(node: ast.expr, scope: Scope) -> bool:
    """`x.row_factory = sqlite3.Row` names a factory, not the class."""
    targets = scope.attributes.get("row_factory", ())
    return any(binding.value is node for _, binding in targets)
