"""Hazards of transactions: errors inside them, waiting for locks, and who commits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.codebase import Codebase, gives_connection, is_handle
from migrator.core.audit.connections import at
from migrator.core.audit.rules import Hazard
from migrator.core.python.modules import Block, Call, Scope
from migrator.core.python.sites import Site
from migrator.core.python.values import External
from migrator.core.sql.split import split

_CATCHES = ("sqlite3.IntegrityError", "sqlite3.Error", "sqlite3.DatabaseError", "Exception", "BaseException")
_CAUGHT_WHEN_LOCKED = ("sqlite3.OperationalError", "sqlite3.Error", "sqlite3.DatabaseError")
_DEFINES = ("CREATE", "ALTER", "DROP")


def hazards(code: Codebase) -> Iterator[Hazard]:
    for scope in code.tree.scopes():
        for handler, block in _handlers(scope):
            yield from _after_error(code, scope, handler, block)
            yield from _retry(code, scope, handler)
    yield from _autocommit(code)


# -- handlers ----------------------------------------------------------------------------------------------------------


def _handlers(scope: Scope) -> Iterator[tuple[ast.ExceptHandler, ast.Try]]:
    """Of the scope itself, not of those inside it."""
    waiting = list(getattr(scope.node, "body", [])) if not isinstance(scope.node, ast.Lambda) else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Try):
            yield from ((handler, node) for handler in node.handlers)
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]


def caught_by(code: Codebase, handler: ast.ExceptHandler, scope: Scope) -> set[str]:
    """The exceptions that a handler names; a bare except catches everything."""
    if handler.type is None:
        return {"BaseException"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    values = (value for item in types for value in code.inference.of(item, scope))
    return {_same(value.name) for value in values if isinstance(value, External)}


def _same(name: str) -> str:
    return name.replace("aiosqlite.", "sqlite3.")


# -- a statement after one that failed ---------------------------------------------------------------------------------


def _after_error(code: Codebase, scope: Scope, handler: ast.ExceptHandler, block: ast.Try) -> Iterator[Hazard]:
    for first, second in _pairs(code, scope, handler, block):
        detail = f"line {second.call.line} runs after line {first.call.line} failed"
        yield Hazard(scope.module.path.as_posix(), block.lineno, "statement-after-error", detail)
        return


def _pairs(code: Codebase, scope: Scope, handler: ast.ExceptHandler, block: ast.Try) -> Iterator[tuple[Site, Site]]:
    """A statement that may fail, and one that runs in the same transaction after that."""
    if not caught_by(code, handler, scope) & set(_CATCHES) or is_mended(code, scope, handler):
        return
    failed = [
        site for site in _sites_in(code, scope, block, "body") if site.of and not is_rolled_back(code, site, block)
    ]
    after = [site for site in _sites_in(code, scope, handler, "body") if site.of]
    if not isinstance(handler.body[-1], ast.Raise | ast.Return):
        after += _behind(code, scope, block)
    for first in failed:
        for second in after:
            if _handle(first) == _handle(second):
                yield first, second


def is_rolled_back(code: Codebase, site: Site, block: ast.Try) -> bool:
    """Whether the call stands in a `with connection:` inside the try, which rolls back what failed."""
    around = [inner.statement for inner in site.call.within if isinstance(inner.statement, ast.With | ast.AsyncWith)]
    entered = (item.context_expr for statement in around if _contains(block, statement) for item in statement.items)
    return any(gives_connection(value) for node in entered for value in code.inference.of(node, site.scope))


def sends(code: Codebase, scope: Scope, handler: ast.ExceptHandler) -> bool:
    """Whether the handler itself sends a statement."""
    return any(site.of for site in _sites_in(code, scope, handler, "body"))


def is_mended(code: Codebase, scope: Scope, handler: ast.ExceptHandler) -> bool:
    """Whether the handler rolls back, by a method or by SQL, before it goes on."""
    if any(call.name in ("rollback", "close") for call in _calls_in(scope, handler, "body")):
        return True
    texts = (text for site in _sites_in(code, scope, handler, "body") for text in site.texts)
    return any(statement.begins_with("ROLLBACK") for text in texts for statement in split(text.filled("x")))


def _behind(code: Codebase, scope: Scope, block: ast.Try) -> list[Site]:
    """What may run in the same function after the block: below it, or in the next round of a loop."""
    end = block.end_lineno or block.lineno
    loops = [node for node in ast.walk(scope.node) if isinstance(node, ast.For | ast.While) and _contains(node, block)]
    found = [
        code.sites.found[call.node] for call in scope.calls if call.node in code.sites.found and call.node.lineno > end
    ]
    return found + [site for loop in loops for site in _sites_in(code, scope, loop, "body") if site.of]


def _handle(site: Site) -> str:
    function = site.call.node.func
    return ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""


def _sites_in(code: Codebase, scope: Scope, statement: ast.AST, part: str) -> list[Site]:
    return [code.sites.found[call.node] for call in _calls_in(scope, statement, part) if call.node in code.sites.found]


def _calls_in(scope: Scope, statement: ast.AST, part: str) -> list[Call]:
    return [call for call in scope.calls if any(_is(block, statement, part) for block in call.within)]


def _is(block: Block, statement: ast.AST, part: str) -> bool:
    return block.statement is statement and block.part == part


# -- waiting for the lock ----------------------------------------------------------------------------------------------


def _retry(code: Codebase, scope: Scope, handler: ast.ExceptHandler) -> Iterator[Hazard]:
    caught = caught_by(code, handler, scope)
    looks = any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "locked" in node.value
        and "%" not in node.value
        for node in ast.walk(handler)
        if not _is_log(node, handler)
    )
    waits = any(call.name == "sleep" for call in _calls_in(scope, handler, "body"))
    repeats = any(_contains(node, handler) for node in ast.walk(scope.node) if isinstance(node, ast.For | ast.While))
    if ("sqlite3.OperationalError" in caught and (waits or repeats or looks)) or (
        caught & {*_CAUGHT_WHEN_LOCKED, "Exception"} and looks and (waits or repeats)
    ):
        yield _retried(scope, handler)


def _retried(scope: Scope, handler: ast.ExceptHandler) -> Hazard:
    return Hazard(scope.module.path.as_posix(), handler.lineno, "locked-retry")


def _is_log(node: ast.AST, handler: ast.ExceptHandler) -> bool:
    """Whether a text is what a log is told, rather than what a message is compared with."""
    compared = [inner for test in ast.walk(handler) if isinstance(test, ast.Compare) for inner in ast.walk(test)]
    return node not in compared


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


# -- who commits -------------------------------------------------------------------------------------------------------


def _autocommit(code: Codebase) -> Iterator[Hazard]:
    for call in code.connects:
        level = next((item.value for item in call.node.keywords if item.arg == "isolation_level"), None)
        if isinstance(level, ast.Constant) and level.value is None:
            yield at(call, "autocommit", "isolation_level=None")
    yield from _levels(code)
    for site in filter(None, (item.site for item in code.sent)):
        if site.method == "executescript":
            yield at(site.call, "autocommit", "executescript() commits first")
        elif is_kept_at_once(code, site):
            yield at(site.call, "autocommit", "a definition without a commit")


def is_kept_at_once(code: Codebase, site: Site) -> bool:
    """Whether a call defines something and nobody commits: SQLite keeps it all the same."""
    return any(_defines(text.filled("x")) for text in site.texts) and not _commits(code, site)


def _levels(code: Codebase) -> Iterator[Hazard]:
    for scope in code.tree.scopes():
        for target, binding in scope.attributes.get("isolation_level", ()):
            is_none = isinstance(binding.value, ast.Constant) and binding.value.value is None
            if is_none and any(is_handle(value) for value in code.inference.of(target.value, scope)):
                yield Hazard(scope.module.path.as_posix(), target.lineno, "autocommit", "isolation_level = None")


def _defines(sql: str) -> bool:
    return any(statement.tokens and statement.tokens[0].is_word(*_DEFINES) for statement in split(sql))


def _commits(code: Codebase, site: Site) -> bool:
    """Whether the function commits behind the statement, or stands in a block that does."""
    closed = min((call.line for call in site.scope.calls if _closes(call, site)), default=None)
    later = [
        call
        for call in site.scope.calls
        if call.name == "commit" and site.call.line <= call.line and (closed is None or call.line <= closed)
    ]
    if site.sink is not None:
        later += [call for call in site.sink.function.calls if call.name == "commit"]
    return bool(later) or any(_block_commits(code, block, site.scope) for block in site.call.within)


def _closes(call: Call, site: Site) -> bool:
    """Whether a call below a statement closes what the statement was sent to."""
    function = call.node.func
    is_close = call.name == "close" and isinstance(function, ast.Attribute) and call.line >= site.call.line
    return is_close and isinstance(function, ast.Attribute) and ast.unparse(function.value) == _handle(site)


def _block_commits(code: Codebase, block: Block, scope: Scope) -> bool:
    if not isinstance(block.statement, ast.With | ast.AsyncWith):
        return False
    for item in block.statement.items:
        values = code.inference.of(item.context_expr, scope)
        if any(is_handle(value) for value in values):
            return True
        for call in scope.calls:
            if call.node is item.context_expr:
                for function in code.inference.functions(call):
                    if any(inner.name == "commit" for inner in function.calls):
                        return True
    return False
