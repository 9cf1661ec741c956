"""Which statements need a savepoint: an error ends PostgreSQL's transaction, while SQLite undoes the statement alone.

A statement needs one where somebody catches its error and goes on with the connection: the function it stands in, or
one that has called it with a connection that lives longer. One savepoint too many costs time; one too few costs rows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migrator.core.audit import transactions
from migrator.core.audit.codebase import Codebase, is_handle
from migrator.core.python.modules import Call, How, Scope
from migrator.core.python.sites import Site
from migrator.core.python.values import External

_CATCHES = {
    *("Exception", "BaseException", "sqlite3.Error", "sqlite3.DatabaseError", "sqlite3.IntegrityError"),
    *("sqlite3.OperationalError", "sqlite3.ProgrammingError", "sqlite3.InterfaceError", "sqlite3.DataError"),
}
_TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


@dataclass
class Guards:
    """Answers for calls that send SQL."""

    code: Codebase
    _open: set[Call] = field(default_factory=set)

    def needed(self, site: Site) -> bool:
        """A statement that ends the transaction ends its savepoints, too."""
        if any(_TRANSACTION.match(text.filled("x")) for text in site.texts):
            return False
        return self._is_caught(site, site.call, _root(site.call.node.func))

    def _is_caught(self, site: Site, call: Call, name: str) -> bool:
        """Whether somebody goes on after an error of the call; `name` is what the connection is called there."""
        if call in self._open:
            return False
        self._open.add(call)
        try:
            if any(self._goes_on(site, call, handler, block, name) for handler, block in _around(call)):
                return True
            if any(self._suppresses(block.statement, call.scope) for block in call.within):
                return True
            return self._is_from_outside(name, call.scope) and self._is_caught_outside(site, call.scope)
        finally:
            self._open.discard(call)

    def _is_caught_outside(self, site: Site, scope: Scope) -> bool:
        return any(
            self._is_caught(site, outer, name)
            for outer in self.code.inference.calls_of(scope.function)
            for name in self._handed_in(outer)
        )

    def _handed_in(self, call: Call) -> Iterator[str]:
        """What a call is given that may be the connection: an argument, or what stands before the method."""
        given = [*call.node.args, *(item.value for item in call.node.keywords)]
        found = [node for node in given if any(is_handle(value) for value in self.code.inference.of(node, call.scope))]
        yield from [_root(node) for node in found] or [_root(call.node.func)]

    def _goes_on(self, site: Site, call: Call, handler: ast.ExceptHandler, block: ast.Try, name: str) -> bool:
        if not transactions.caught_by(self.code, handler, call.scope) & _CATCHES:
            return False
        if transactions.is_mended(self.code, call.scope, handler):
            return False
        if site.call is call and transactions.is_rolled_back(self.code, site, block):
            return False
        if self._is_made_within(name, call.scope, block):
            return False
        if transactions.sends(self.code, call.scope, handler):
            return True
        if isinstance(handler.body[-1], ast.Raise):
            return False
        return not isinstance(handler.body[-1], ast.Return) or self._is_from_outside(name, call.scope)

    def _suppresses(self, statement: ast.AST, scope: Scope) -> bool:
        """`with contextlib.suppress(sqlite3.IntegrityError):`"""
        items = statement.items if isinstance(statement, ast.With) else ()
        for call in (item.context_expr for item in items if isinstance(item.context_expr, ast.Call)):
            names = {value.name for value in self.code.inference.of(call.func, scope) if isinstance(value, External)}
            given = (value for node in call.args for value in self.code.inference.of(node, scope))
            caught = {value.name.replace("aiosqlite.", "sqlite3.") for value in given if isinstance(value, External)}
            if "contextlib.suppress" in names and (caught & _CATCHES or _has_builtin(call.args)):
                return True
        return False

    def _is_made_within(self, name: str, scope: Scope, block: ast.Try) -> bool:
        """Whether the connection is one of its own for each time that the block is entered."""
        bindings = scope.bindings.get(name, ())
        return bool(bindings) and all(
            any(inner.statement is block and inner.part == "body" for inner in binding.within) for binding in bindings
        )

    def _is_from_outside(self, name: str, scope: Scope) -> bool:
        """A parameter, an attribute of one, or a name of the module; not what the function itself has made."""
        bindings = scope.bindings.get(name)
        return bindings is None or any(binding.how is How.PARAMETER for binding in bindings)


def _has_builtin(nodes: Sequence[ast.expr]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in _CATCHES for node in nodes)


def _around(call: Call) -> Iterator[tuple[ast.ExceptHandler, ast.Try]]:
    """The handlers that an error of the call may come to, the innermost first."""
    for block in reversed(call.within):
        if isinstance(block.statement, ast.Try) and block.part == "body":
            yield from ((handler, block.statement) for handler in block.statement.handlers)


def _root(node: ast.expr) -> str:
    """The name that an expression begins with: self for self.db.cursor().execute."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id
