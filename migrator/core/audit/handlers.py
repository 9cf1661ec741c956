"""What a route is registered with: a function, or a class that has a method for each verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.python.inference import Inference
from migrator.core.python.modules import Scope
from migrator.core.python.values import Bound, External, Made, Method, Program, Values

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


def functions(values: Values) -> list[Scope]:
    return [value.scope for value in values if isinstance(value, Program | Bound) and value.scope.is_function]


def is_external(values: Values, *names: str) -> bool:
    return any(isinstance(value, External) and value.name in names for value in values)


def is_method_of(values: Values, *types: str) -> bool:
    """Whether a method of an instance of one of these classes outside the program."""
    return any(isinstance(value, Method) and value.of.type in types for value in values)


def handlers(inference: Inference, method: str, node: ast.expr | None, scope: Scope) -> Iterator[tuple[str, Scope]]:
    """(method, function): the method given for a function, those that it has for a class or its as_view()."""
    values = inference.of(node, scope)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "as_view":
        values = inference.of(node.func.value, scope)
    for function in functions(values):
        yield method, function
    for value in values:
        if isinstance(value, Program) and value.scope.is_class:
            yield from _verbs_of(inference, value)


def _verbs_of(inference: Inference, view: Program) -> Iterator[tuple[str, Scope]]:
    for verb in VERBS:
        for function in functions(inference.attribute(view, verb)):
            yield verb.upper(), function


def name_called(inference: Inference, node: ast.expr, scope: Scope) -> str:
    """The last name of what a decorator is, whatever it was imported as."""
    for value in inference.of(node, scope):
        if isinstance(value, External | Method):
            return value.name.rpartition(".")[2]
        if isinstance(value, Made):
            return value.type.rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
