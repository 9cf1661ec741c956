"""SQL and calls that no rewrite has reached: nobody knows what they are sent to, or they were left to a person."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import TypeGuard

from migrator.core.audit.codebase import Codebase, is_handle
from migrator.core.audit.markers import sqlite_only
from migrator.core.audit.touched import touched_by
from migrator.core.findings import Finding, Severity
from migrator.core.python.modules import Module, last_name
from migrator.core.python.sites import looks_like_sql
from migrator.core.recoding.places import attributes_in
from migrator.core.recoding.target import SUPPORT, Target, is_support
from migrator.core.sql.lexer import LexError, TokenKind, tokens
from migrator.core.sql.split import split

# A part of a statement that has SQLite's placeholders in it.
_PART = re.compile(
    r"(?:[=<>]|\b(?:LIKE|LIMIT|OFFSET|IN\s*\(|VALUES\s*\())\s*\?|\(\s*\?\s*(?:,\s*\?\s*)*\)", re.IGNORECASE
)
_SETTINGS = re.compile(r"\s*(PRAGMA|ATTACH|DETACH)\s+\w", re.IGNORECASE)
# These PostgreSQL has as well, with another meaning or for other arguments.
_ALSO_POSTGRESQLS = {"date()", "time()", "char()", "json_each()", "json_array_length()"}
_TOLD = {"print", "debug", "info", "warning", "error", "exception", "critical", "log"}
_METHODS = {
    *("executescript", "create_function", "create_aggregate", "create_collation", "create_window_function", "iterdump"),
    *("total_changes", "set_authorizer", "set_progress_handler", "set_trace_callback", "load_extension", "lastrowid"),
    *("enable_load_extension", "text_factory", "execute_insert", "execute_fetchall"),
}
UNKNOWN_CONNECTION = "What this SQL is sent to is not known: annotate it, as a sqlite3.Connection, and run this again."


def left_over(code: Codebase, tables: Collection[str], target: Target) -> Iterator[Finding]:
    """What stands in a program and was not reached: before the first rewrite, and what it has left behind it.

    `tables` are the folded names of those that are known.
    """
    support = next((module for module in code.tree.modules if is_support(module)), None)
    is_rewritten = support is not None or any(SUPPORT in module.scope.bindings for module in code.tree.modules)
    # Of a statement for a connection that is not known, its own finding tells.
    sites = [site for site in code.sites if not is_rewritten or not site.is_open]
    reached = {id(piece.node) for site in sites for text in site.texts for piece in text.pieces}
    for module in code.tree.modules:
        if module is support:
            continue
        for node, text in _texts(module):
            if id(node) not in reached and (is_left(text, target) if is_rewritten else concerns(text, tables)):
                yield _finding(module, node, is_rewritten)
        if support is not None:
            yield from _methods(code, module, support)


def _finding(module: Module, node: ast.expr, is_rewritten: bool) -> Finding:
    place = f"{module.path.as_posix()}:{node.lineno}"
    if is_rewritten:
        message = "This is SQLite's SQL still, or has its placeholders: write it for PostgreSQL."
        return Finding("left-over", Severity.WARNING, place, message)
    return Finding("unknown-connection", Severity.WARNING, place, UNKNOWN_CONNECTION)


def is_left(text: str, target: Target) -> bool:
    """Whether a text in a program that is PostgreSQL's now is SQLite's SQL, or a part of it."""
    if not looks_like_sql(text):
        return bool(_PART.search(text) or _SETTINGS.match(text))
    if is_sqlites(text, target) or _SETTINGS.match(text):
        return True
    plain = re.sub(r"\bsqlite\.\w+", "f", text.replace("%%", "").replace("%s", "1"))
    return any(set(sqlite_only(statement, ())) - _ALSO_POSTGRESQLS for statement in split(plain))


def concerns(text: str, tables: Collection[str]) -> bool:
    """Whether a text is a statement over a known table."""
    if not looks_like_sql(text):
        return False
    touched = touched_by(text)
    return not set(tables).isdisjoint((*touched.reads, *touched.writes))


def _methods(code: Codebase, module: Module, support: Module) -> Iterator[Finding]:
    """What of sqlite3's connections and cursors is asked of others."""
    there = {name for scope in support.scopes if scope.is_class for name in scope.bindings}
    for scope in module.scopes:
        for node in attributes_in(scope):
            if node.attr not in _METHODS - there or ast.unparse(node.value) == SUPPORT:
                continue
            if not any(is_handle(value) for value in code.inference.of(node.value, scope)):
                place = f"{module.path.as_posix()}:{node.lineno}"
                message = f"Only sqlite3 has {node.attr}: use what PostgreSQL has."
                yield Finding("left-over", Severity.WARNING, place, message)


def _texts(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Literals, of f-strings with a name in place of each field; without docstrings, and what a log is told.

    A run of placeholders is one as well, "(?)".
    """
    inside: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Expr):
            inside.add(id(node.value))
        elif isinstance(node, ast.Call) and last_name(node.func) in _TOLD:
            inside |= {id(argument) for argument in node.args}
        elif isinstance(node, ast.JoinedStr) and id(node) not in inside:
            inside |= {id(part) for part in node.values}
            yield node, "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node, node.value
        elif _is_run(node):
            yield node, "(?)"


def _is_run(node: ast.AST) -> TypeGuard[ast.expr]:
    """`"?" * n`, `["?"] * n`, or `"?" for …`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left = node.left
        return _is_mark(left.elts[0] if isinstance(left, ast.List) and len(left.elts) == 1 else left)
    return isinstance(node, ast.ListComp | ast.GeneratorExp) and _is_mark(node.elt)


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in ("?", "?,", "?, ", ",?", ", ?")


def is_sqlites(text: str, rewritten: Target | None) -> bool:
    """Whether a text has placeholders of SQLite's; in a rewritten program, other ones than its driver has too."""
    try:
        found = [token.text for token in tokens(text) if token.kind is TokenKind.PLACEHOLDER]
    except LexError:
        return False
    return any(rewritten is None or not rewritten.placeholder.fullmatch(name) for name in found)
