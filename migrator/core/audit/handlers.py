"""What a route is registered with: a function, or a class that has a method for each verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.python.inference import Inference
from migrator.core.python.modules import Scope
from migrator.core.python.values import Bound, Callee, External, Made, Method, Program, Values

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


def functions(values: Values) -> list[Callee]:
    found = (value for value in values if isinstance(value, Program | Bound) and value.scope.is_function)
    return [Callee(value.scope, value.of if isinstance(value, Bound) else None) for value in found]


def is_external(values: Values, *names: str) -> bool:
    return any(isinstance(value, External) and value.name in names for value in values)


def is_method_of(values: Values, *types: str) -> bool:
    """Whether a method of an instance of one of these classes outside the program."""
    return any(isinstance(value, Method) and value.of.type in types for value in values)


def handlers(inference: Inference, method: str, node: ast.expr | None, scope: Scope) -> Iterator[tuple[str, Callee]]:
    """(method, function): the method given for a function, those that it has for a class or its as_view()."""
    values = inference.of(node, scope)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "as_view":
        values = inference.of(node.func.value, scope)
    for function in functions(values):
        yield method, function
    for value in values:
        if isinstance(value, Program) and value.scope.is_class:
            yield from verbs_of(inference, value.scope) or _dispatched(inference, method, value.scope)


def verbs_of(inference: Inference, view: Scope) -> list[tuple[str, Callee]]:
    """(method, function) of each verb that a class answers, itself or by what it inherits."""
    return [(verb.upper(), Callee(function, view)) for verb in VERBS for function in inference.methods(view, verb)]


def _dispatched(inference: Inference, method: str, view: Scope) -> Iterator[tuple[str, Callee]]:
    """Flask's View, which answers whatever comes by one method."""
    yield from ((method, Callee(function, view)) for function in inference.methods(view, "dispatch_request"))


def name_called(inference: Inference, node: ast.expr, scope: Scope) -> str:
    """The last name of what a decorator is, whatever it was imported as."""
    for value in inference.of(node, scope):
        if isinstance(value, External | Method):
            return value.name.rpartition(".")[2]
        if isinstance(value, Made):
            return value.type.rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
