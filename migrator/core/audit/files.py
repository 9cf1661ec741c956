"""Hazards of files: JSON as a database, and several names for one database."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.rules import Hazard
from migrator.core.python.modules import Call, How, Scope

_FILE = re.compile(
    r"(?:sqlite(?:\+\w+)?:///?)?(?:file:)?[\w./~ -]*?(?P<name>[\w-]+\.(?:db|db3|sqlite|sqlite3))(?:\?.*)?"
)
_NAMED = re.compile(r"(?i)db|database|sqlite|dsn|url|path|file|storage|store")


def hazards(code: Codebase) -> Iterator[Hazard]:
    yield from _json(code)
    yield from _names(code)


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(code: Codebase) -> Iterator[Hazard]:
    read = {
        key for name in ("load", "loads") for call in code.tree.calls.get(name, ()) for key in _files(code, call, "r")
    }
    for name in ("dump", "dumps"):
        for call in code.tree.calls.get(name, ()):
            written = _files(code, call, "w")
            if read & written:
                yield Hazard(call.scope.module.path.as_posix(), call.line, "json-as-database", min(read & written))


def _files(code: Codebase, call: Call, mode: str) -> set[str]:
    """What says which file a json call reads or writes: literal parts of its path, else the expression itself."""
    if not code.calls_external(call, f"json.{call.name}"):
        return set()
    if call.name in ("load", "dump"):
        handle = call.node.args[0 if call.name == "load" else 1 :][:1]
        opened = _opened(handle[0], call.scope) if handle else []
        return {key for item in opened for key in _key(code, _path(item, mode), call.scope)}
    if call.name == "loads":
        inner = call.node.args[0] if call.node.args else None
        return _key(code, _path(inner, mode), call.scope)
    for outer in call.scope.calls:
        function = outer.node.func
        is_written = isinstance(function, ast.Attribute) and function.attr in ("write_text", "write")
        if is_written and any(node is call.node or _is_name_of(node, call) for node in ast.walk(outer.node)):
            assert isinstance(function, ast.Attribute)
            if function.attr == "write_text":
                return _key(code, function.value, call.scope)
            opened = _opened(function.value, call.scope)
            return {key for item in opened for key in _key(code, _path(item, mode), call.scope)}
    return set()


def _is_name_of(node: ast.AST, call: Call) -> bool:
    """Whether a name holds what the call gave."""
    bindings = call.scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return any(binding.value is call.node for binding in bindings)


def _opened(handle: ast.expr, scope: Scope) -> list[ast.expr]:
    """What a handle may have been opened by."""
    if not isinstance(handle, ast.Name):
        return [handle]
    bindings = scope.bindings.get(handle.id, ())
    return [item.value for item in bindings if item.how in (How.ENTERED, How.ASSIGNED) and item.value is not None]


def _path(opened: ast.expr | None, mode: str) -> ast.expr | None:
    """The path in open(path, …), path.open(…) and path.read_text(), if the mode fits."""
    if not isinstance(opened, ast.Call):
        return None
    function = opened.func
    if isinstance(function, ast.Attribute) and function.attr in ("read_text", "read_bytes"):
        return function.value
    if isinstance(function, ast.Attribute) and function.attr == "read":
        return _path(function.value, mode)
    is_method = isinstance(function, ast.Attribute) and function.attr == "open"
    given = [*opened.args, *(item.value for item in opened.keywords if item.arg == "mode")]
    modes = [item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    writes = any(set(text) <= set("wxatb+") and set(text) & set("wxa+") for text in modes)
    if writes != (mode == "w"):
        return None
    if is_method and isinstance(function, ast.Attribute):
        return function.value
    return opened.args[0] if isinstance(function, ast.Name) and function.id == "open" and opened.args else None


def _key(code: Codebase, path: ast.expr | None, scope: Scope) -> set[str]:
    if path is None:
        return set()
    found = {text for text in code.strings(path, scope) if text.endswith(".json")}
    return found or {f"{scope.module.path}:{ast.unparse(path)}"}


# -- names of files ----------------------------------------------------------------------------------------------------


def _names(code: Codebase) -> Iterator[Hazard]:
    """Every place that names a file of a database, where there are several names."""
    found = [(name, scope, node) for scope in code.tree.scopes() for name, node in _named_in(scope)]
    names = {name for name, _, _ in found}
    if len(names) > 1:
        for name, scope, node in found:
            others = ", ".join(sorted(names - {name}))
            yield Hazard(scope.module.path.as_posix(), node.lineno, "several-names", f"{name}; elsewhere {others}")


def _named_in(scope: Scope) -> Iterator[tuple[str, ast.Constant]]:
    if scope.is_function and isinstance(scope.node, ast.Lambda):
        return
    nodes = [scope.node]
    while nodes:
        for node in ast.iter_child_nodes(nodes.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = _FILE.fullmatch(node.value)
                if match:
                    yield PurePosixPath(match["name"]).name, node
            nodes.append(node)


def database_files(strings: Iterable[str]) -> set[str]:
    """The names of files of databases among texts, without their folders."""
    return {PurePosixPath(match["name"]).name for text in strings if (match := _FILE.fullmatch(text))}
