"""Hazards of how connections are made and shared."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.codebase import CONNECTS, Codebase, is_handle
from migrator.core.audit.handlers import is_external
from migrator.core.audit.rules import Hazard
from migrator.core.python.modules import Call, Scope
from migrator.core.python.sites import keyword
from migrator.core.python.values import Bound, External, Instance, Method, Program

_THREADS = {
    "run_in_executor": 1,
    "to_thread": 0,
    "submit": 0,
    "map": 0,
    "add_job": 0,
    "Thread": 0,
    "Timer": 1,
    "run_sync": 0,
}
_ELSEWHERE = (
    "threading.",
    "concurrent.futures.",
    "multiprocessing.",
    "asyncio.",
    "apscheduler.",
    "anyio.to_thread",
    "starlette.concurrency.",
    "fastapi.concurrency.",
)
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - what is looked for, not used


def hazards(code: Codebase) -> Iterator[Hazard]:
    yield from _at_import(code)
    yield from _by_name(code)
    yield from _across_threads(code)
    yield from _beside_givers(code)


def at(call: Call, rule: str, detail: str = "") -> Hazard:
    return Hazard(call.scope.module.path.as_posix(), call.line, rule, detail)


def _at_import(code: Codebase) -> Iterator[Hazard]:
    opening = {call.scope.function for call in code.connects}
    for call in code.importing():
        if code.calls_external(call, *CONNECTS):
            yield at(call, "connection-at-import", "connect() runs when the module is imported")
        for function in code.inference.functions(call):
            opened = next((scope for scope in code.graph.runs(function) if scope in opening), None)
            if opened is not None:
                yield at(call, "connection-at-import", f"{call.name}() opens a connection in {opened.name}()")


def _by_name(code: Codebase) -> Iterator[Hazard]:
    """connect() calls: whether DATABASE_URL decides, and whether the file lasts."""
    reads_url = any('"DATABASE_URL"' in module.text or "'DATABASE_URL'" in module.text for module in code.tree.modules)
    for call in code.connects:
        path = call.node.args[0] if call.node.args else keyword(call.node, "database")
        strings = code.strings(path, call.scope)
        if reads_url and "DATABASE_URL" not in strings and ":memory:" not in strings:
            yield at(call, "database-url-ignored", _shown(path))
        if any(_is_lost(text) for text in strings):
            yield at(call, "ephemeral-path", _shown(path))


def _is_lost(text: str) -> bool:
    path = text.removeprefix("sqlite://").removeprefix("file:")
    return (
        text == ":memory:"
        or ":memory:" in text
        or any(path.rstrip("/") == folder or path.startswith(f"{folder}/") for folder in _TEMPORARY)
        or text.startswith("tempfile.")
    )


# -- threads -----------------------------------------------------------------------------------------------------------


def _across_threads(code: Codebase) -> Iterator[Hazard]:
    for call in code.connects:
        same = keyword(call.node, "check_same_thread")
        if isinstance(same, ast.Constant) and not same.value:
            yield at(call, "connection-across-threads", "check_same_thread=False")
    for name, place in _THREADS.items():
        for call in code.tree.calls.get(name, ()):
            shared = _shared(code, call, place) if _goes_elsewhere(code, call) else None
            if shared:
                yield at(call, "connection-across-threads", f"{shared} was made in another thread")


def _goes_elsewhere(code: Codebase, call: Call) -> bool:
    for value in code.inference.called(call.node, call.scope):
        name = value.name if isinstance(value, External) else value.of.type if isinstance(value, Method) else ""
        if name.startswith(_ELSEWHERE):
            return True
    # A loop or pool that nothing is known of: its method's name says enough.
    return call.name in ("run_in_executor", "to_thread")


def _shared(code: Codebase, call: Call, place: int) -> str | None:
    """The name of a connection or cursor that goes to the other thread with the function, or is used by it."""
    given = keyword(call.node, "target") or keyword(call.node, "func")
    rest = list(call.node.args)
    if given is None and len(rest) > place:
        given = rest.pop(place)
    rest += [item.value for item in call.node.keywords if item.arg in ("args", "kwargs")]
    for argument in rest:
        for node in ast.walk(argument):
            if isinstance(node, ast.Name | ast.Attribute) and _is_handle(code, node, call.scope):
                return ast.unparse(node)
    if isinstance(given, ast.Attribute) and _is_handle(code, given.value, call.scope):
        return ast.unparse(given.value)
    for value in code.inference.of(given, call.scope) if given is not None else ():
        if isinstance(value, Program | Bound) and value.scope.is_function:
            found = _used_from_outside(code, value.scope)
            if found:
                return found
    return None


def _used_from_outside(code: Codebase, start: Scope) -> str | None:
    """A connection that a function, or one that it runs, finds in the scopes around it or in its instance."""
    running = code.graph.runs(start)
    for scope in running:
        for node in ast.walk(scope.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in scope.bindings:
                owner = scope.parent.owner_of(node.id) if scope.parent else None
                if owner is not None and any(is_handle(value) for value in code.inference.name(node.id, owner)):
                    return node.id
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
                owners = _shared_owners(code, node.value, scope)
                properties = [inner for owner in owners for inner in _properties(code, owner, node.attr)]
                running += [inner for found in properties for inner in code.graph.runs(found) if inner not in running]
                is_assigned = any(node.attr in other.attributes for other in running)
                if owners and not properties and not is_assigned and _is_handle(code, node, scope):
                    return ast.unparse(node)
    return None


def _shared_owners(code: Codebase, node: ast.expr, scope: Scope) -> list[Scope]:
    """The classes of an instance, but for those that every thread has its own values of."""
    found = (value.scope for value in code.inference.of(node, scope) if isinstance(value, Instance))
    return [owner for owner in found if not any(_is_local(code, each) for each in code.inference.lineage(owner))]


def _is_local(code: Codebase, owner: Scope) -> bool:
    bases = getattr(owner.node, "bases", ())
    return any(is_external(code.inference.of(base, owner.parent or owner), "threading.local") for base in bases)


def _properties(code: Codebase, owner: Scope, name: str) -> list[Scope]:
    """What runs, in the same thread, when the attribute is read."""
    return [found for found in code.inference.methods(owner, name) if code.inference.is_decorated(found, ["property"])]


def _is_handle(code: Codebase, node: ast.expr, scope: Scope) -> bool:
    return any(is_handle(value) for value in code.inference.of(node, scope))


# -- two ways in -------------------------------------------------------------------------------------------------------


def _beside_givers(code: Codebase) -> Iterator[Hazard]:
    for call in code.connects:
        function = call.scope.function
        if not function.is_function or function in code.givers:
            continue
        others = sorted(
            (giver.name.endswith(".__init__"), giver.name) for giver in code.givers if giver is not function
        )
        if others:
            keeps, name = others[0]
            does = "keeps a connection" if keeps else "gives out connections"
            yield at(call, "two-access-patterns", f"{name.removesuffix('.__init__')} {does}")


def _shown(node: ast.expr | None) -> str:
    return ast.unparse(node) if node is not None else ""
