"""What becomes of the names of sqlite3 and aiosqlite in a program."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.core.findings import Finding, Severity
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Module, Scope
from migrator.core.python.values import External
from migrator.core.recoding.edits import Edits, Replaced
from migrator.core.recoding.target import Target


def renamed(
    module: Module, inference: Inference, edits: Edits, kept: frozenset[ast.AST], target: Target
) -> Iterator[Finding]:
    """Puts the new names in the place of the old ones; what has none is a finding. `kept` stays SQLite's."""
    old = dict(_old_names(module, inference, kept))
    if not old:
        return
    around = _around(module)
    found: dict[ast.expr, tuple[str, ...]] = {}
    for node, name in old.items():
        new = target.names.get(name, ())
        is_made = node in around.made and not target.makes_errors and name.endswith("Error")
        if not new or is_made or (node in around.one and new[0].startswith("*")):
            place = f"{module.path.as_posix()}:{node.lineno}"
            why = f"{name} has no counterpart in {target.title}"
            why = f"{target.title}'s errors are not made with a message, as {name} is here" if is_made else why
            yield Finding("sqlite-api", Severity.WARNING, place, f"{why}.")
        else:
            found[node] = new[:1] if node in around.one else new
    _replace(found, around, edits)


def _old_names(
    module: Module, inference: Inference, kept: frozenset[ast.AST]
) -> Iterator[tuple[ast.Attribute | ast.Name, str]]:
    """What stands for something of sqlite3 or aiosqlite, and for what."""
    for scope, node in _references(module):
        names = {value.name for value in inference.of(node, scope) if isinstance(value, External)}
        old = next((name for name in names if name.startswith(("sqlite3.", "aiosqlite."))), None)
        if old is not None and node not in kept and not _is_row_factory(node, scope):
            yield node, old


@dataclass(frozen=True)
class _Around:
    """What stands around a name: the tuple that it is an element of, and whether it has to be one class.

    `one` are called, raised or inherited from, `made` those that are called.
    """

    tuples: Mapping[ast.expr, ast.Tuple]
    one: frozenset[ast.expr]
    made: frozenset[ast.expr]


def _around(module: Module) -> _Around:
    nodes = list(ast.walk(module.tree))
    tuples = {element: node for node in nodes if isinstance(node, ast.Tuple) for element in node.elts}
    made = frozenset(node.func for node in nodes if isinstance(node, ast.Call))
    raised = {node.exc for node in nodes if isinstance(node, ast.Raise) and node.exc is not None}
    bases = {base for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}
    return _Around(tuples, made | raised | bases, made)


def _replace(found: Mapping[ast.expr, tuple[str, ...]], around: _Around, edits: Edits) -> None:
    """Several classes in the place of one are a tuple, and in a tuple they are more of its elements."""
    widened = {around.tuples[node] for node, new in found.items() if node in around.tuples and _is_several(new)}
    for node, new in found.items():
        if around.tuples.get(node) not in widened:
            edits.add(node, Replaced(_alone(new)))
    for node in widened:
        elements = [name for item in node.elts for name in found.get(item, (ast.unparse(item),))]
        edits.add(node, Replaced(f"({', '.join(elements)})"))


def _is_several(new: Sequence[str]) -> bool:
    return len(new) > 1 or new[0].startswith("*")


def _alone(new: Sequence[str]) -> str:
    return f"({', '.join(new)})" if len(new) > 1 else new[0].removeprefix("*")


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
