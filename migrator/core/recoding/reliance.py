"""What of SQLite's behaviour a program relies on that no rewriting gives it in PostgreSQL."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.files import database_files
from migrator.core.findings import Finding, Severity
from migrator.core.model import Schema
from migrator.core.python.modules import Call, Module
from migrator.core.recoding.guards import Guards

_MESSAGES = (
    *("UNIQUE constraint failed", "FOREIGN KEY constraint failed", "NOT NULL constraint failed"),
    *("CHECK constraint failed", "no such table", "no such column", "database is locked", "duplicate column name"),
)
_ERROR_ATTRIBUTES = ("sqlite_errorname", "sqlite_errorcode")
_LOOKS = ("startswith", "endswith", "find", "index", "count", "search", "match", "fullmatch")
_OF_FILES = {
    *("exists", "isfile", "is_file", "getsize", "remove", "unlink", "stat", "copy2", "copyfile", "move"),
}


def relied_on(
    code: Codebase, schema: Schema, kept: frozenset[ast.Call], guards: Guards, is_rewritten: bool
) -> Iterator[Finding]:
    """`kept` are the connect() calls that stay SQLite's; is_rewritten: the program was rewritten before."""
    moved = [call for call in code.connects if call.node not in kept]
    for module in code.tree.modules if moved or is_rewritten else ():
        yield from _messages(module)
    yield from _files(code, moved)
    yield from _foreign_keys(code, schema, moved)
    for site in (*code.sites, *code.sites.relays):
        if site.method == "executemany" and site.of and site.sink is None and guards.needed(site):
            message = "If a row is refused, SQLite keeps those before it; PostgreSQL's transaction has failed then."
            yield _finding(site.scope.module, site.call.line, "executemany", message)


def _messages(module: Module) -> Iterator[Finding]:
    """What is compared with SQLite's words for an error."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in _ERROR_ATTRIBUTES:
            yield _finding(module, node.lineno, "error-message", f"{node.attr} is sqlite3's own: catch the class.")
        for line, text in _compared(node):
            if any(message.lower() in text.lower() for message in _MESSAGES):
                message = f"PostgreSQL says it in other words than {text!r}: catch the class of the error."
                yield _finding(module, line, "error-message", message)


def _compared(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts that something is compared with, or looked for in, and their lines."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKS:
        parts = node.args
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.lineno, part.value


def _files(code: Codebase, moved: list[Call]) -> Iterator[Finding]:
    """What is done with the database's file, which is there no longer."""
    names = {name for call in moved for node in call.node.args[:1] for name in _named(code, node, call)}
    for name in sorted(_OF_FILES):
        for call in code.tree.calls.get(name, ()):
            function = call.node.func
            given = [*call.node.args[:1], *([function.value] if isinstance(function, ast.Attribute) else [])]
            found = names.intersection(file for node in given for file in _named(code, node, call))
            if found:
                message = f"{min(found)} is no file any more: ask the database instead."
                yield _finding(call.scope.module, call.line, "database-file", message)


def _named(code: Codebase, node: ast.expr, call: Call) -> frozenset[str]:
    return frozenset(database_files(code.strings(node, call.scope)))


def _foreign_keys(code: Codebase, schema: Schema, moved: list[Call]) -> Iterator[Finding]:
    """SQLite checks none unless it is told to."""
    there = [table.name for table in schema.tables if table.foreign_keys]
    texts = (text.filled("x") for site in code.sites for text in site.texts)
    told = any("foreign_keys" in text.lower() for text in (*texts, *(script.text for script in code.scripts)))
    if there and moved and not told:
        first = min(moved, key=lambda call: (call.scope.module.path, call.line))
        message = f"Foreign keys (of {there[0]}, for one) were not checked here; PostgreSQL checks them."
        yield _finding(first.scope.module, first.line, "foreign-keys", message)


def _finding(module: Module, line: int, rule: str, message: str) -> Finding:
    return Finding(rule, Severity.WARNING, f"{module.path.as_posix()}:{line}", message)
