"""Expressions that surely are booleans or numbers: by their form, what they call, and how a name is annotated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from migrator.core.python.modules import Binding, How, Scope, last_name

_BOOLEAN_FUNCTIONS = ("bool", "any", "all", "isinstance", "callable", "hasattr")
_NUMERIC_FUNCTIONS = ("int", "float", "len", "round", "abs")

_BYTES = ("bytes", "bytearray", "memoryview", "Binary")
_BYTES_METHODS = (
    "encode",
    "digest",
    "tobytes",
    "to_bytes",
    "read_bytes",
    "compress",
    "urandom",
    "token_bytes",
    "Binary",
)


def is_bool(node: ast.expr, scope: Scope) -> bool:
    """Whether the value is True or False, whatever happens."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool)
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _BOOLEAN_FUNCTIONS
    return isinstance(node, ast.Name) and _is_always(node, scope, is_bool, ("bool",))


def is_number(node: ast.expr, scope: Scope) -> bool:
    """Whether the value is an int or a float, whatever happens."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _NUMERIC_FUNCTIONS
    if isinstance(node, ast.BinOp):
        return is_number(node.left, scope) and is_number(node.right, scope)
    return isinstance(node, ast.Name) and _is_always(node, scope, is_number, ("int", "float"))


def is_bytes(node: ast.expr, scope: Scope) -> bool:
    """Whether the value is bytes, whatever happens."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bytes)
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        return name in (_BYTES if isinstance(node.func, ast.Name) else _BYTES_METHODS)
    return isinstance(node, ast.Name) and _is_always(node, scope, is_bytes, _BYTES)


def _is_always(
    node: ast.Name, scope: Scope, holds: Callable[[ast.expr, Scope], bool], annotations: Sequence[str]
) -> bool:
    """Whether that holds for all that a name of the function is given; for a parameter its annotation says so."""
    bindings = scope.bindings.get(node.id, ())
    return bool(bindings) and all(_gives(item, scope, holds, annotations) for item in bindings)


def _gives(
    binding: Binding, scope: Scope, holds: Callable[[ast.expr, Scope], bool], annotations: Sequence[str]
) -> bool:
    if binding.how is How.PARAMETER:
        annotation = getattr(binding.node, "annotation", None)
        return isinstance(annotation, ast.Name) and annotation.id in annotations
    value = binding.value
    is_itself = isinstance(value, ast.Name)  # x = y may go round in a circle
    return (
        binding.how is How.ASSIGNED and value is not None and not is_itself and not binding.path and holds(value, scope)
    )
