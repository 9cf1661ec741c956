"""Names and attributes that are given one expression only, in whatever module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.core.python.modules import How, Scope
from migrator.core.python.values import Instance, Package, Program

if TYPE_CHECKING:
    from migrator.core.python.inference import Inference

Constant = tuple[ast.expr, Scope]  # the expression, and the scope it stands in


class Constants:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference

    def of(self, node: ast.expr, scope: Scope) -> Constant | None:
        """The expression that a name or attribute is given, where it is given only one, and the scope it stands in."""
        if isinstance(node, ast.Name):
            return self.named(node.id, scope.owner_of(node.id))
        return next(self.of_attribute(node, scope), None) if isinstance(node, ast.Attribute) else None

    def of_attribute(self, node: ast.Attribute, scope: Scope) -> Iterator[Constant]:
        """As of(), for every module or class that the attribute may belong to."""
        for value in self.inference.of(node.value, scope):
            owner = None
            if isinstance(value, Package):
                owner = value.module.scope
            elif isinstance(value, Instance) or (isinstance(value, Program) and value.scope.is_class):
                owner = value.scope
            constant = self.named(node.attr, owner)
            if constant is not None:
                yield constant

    def named(self, name: str, owner: Scope | None) -> Constant | None:
        """As of(), of a name that the scope binds; a name with two values is a variable."""
        bindings = owner.bindings.get(name, ()) if owner is not None else ()
        if owner is None or len(bindings) != 1:
            return None
        [binding] = bindings
        if binding.how is How.ASSIGNED and binding.value is not None and not binding.path:
            return binding.value, owner
        if binding.how is not How.IMPORTED or not isinstance(binding.node, ast.ImportFrom):
            return None
        module, _, original = self.inference.tree.imported(binding, name, owner)
        return self.named(original, module.scope) if module and module is not owner.module else None
