"""SQL that is left as it was: SQLite's placeholders give it away, whoever it is sent to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.codebase import Codebase
from migrator.core.findings import Finding, Severity
from migrator.core.python.modules import Module
from migrator.core.python.sites import Site, looks_like_sql
from migrator.core.recoding.target import Target, is_support
from migrator.core.sql.lexer import LexError, TokenKind, tokens


def left_over(code: Codebase, target: Target) -> Iterator[Finding]:
    """Texts of SQL with `?` or `:name` that no connection of SQLite gets; nothing before the first rewrite."""
    if not any(is_support(module) for module in code.tree.modules):
        return
    known = {id(piece.node) for site in code.sites for text in site.texts for piece in text.pieces if not is_open(site)}
    for module in code.tree.modules:
        for node, text in _texts(module):
            if id(node) not in known and looks_like_sql(text) and is_sqlites(text, target):
                place = f"{module.path.as_posix()}:{node.lineno}"
                yield Finding("left-over", Severity.WARNING, place, "This SQL still has SQLite's placeholders.")


def _texts(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Literals, of f-strings with a name in place of each field."""
    inside: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield node, "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node, node.value


def is_open(site: Site) -> bool:
    """Whether nothing is known of what a statement is sent to: it may be any database's."""
    return not site.of and site.sink is None


def is_sqlites(text: str, rewritten: Target | None) -> bool:
    """Whether a text has placeholders of SQLite's; in a rewritten program, other ones than its driver has too."""
    try:
        found = [token.text for token in tokens(text) if token.kind is TokenKind.PLACEHOLDER]
    except LexError:
        return False
    return any(rewritten is None or not rewritten.placeholder.fullmatch(name) for name in found)
