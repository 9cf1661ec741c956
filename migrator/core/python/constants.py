"""Names and attributes that are given one expression only, in whatever module; those of classes, one for each class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.core.python.modules import Binding, How, Scope
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
        found = dict.fromkeys(self.of_attribute(node, scope)) if isinstance(node, ast.Attribute) else {}
        return next(iter(found)) if len(found) == 1 else None

    def of_attribute(self, node: ast.Attribute, scope: Scope, of: Scope | None = None) -> Iterator[Constant]:
        """As of(), for every module or class that the attribute may belong to; `of` is the class of self, if known.

        An attribute that is also given what is no constant gives itself.
        """
        own = self.inference.classes.of_self(node.value, scope)
        if own is not None:
            is_known = of is not None and own in self.inference.lineage(of)
            yield from self._of_class(node, scope, of if is_known and of else own, is_known=is_known)
            return
        for value in self.inference.of(node.value, scope):
            if isinstance(value, Package):
                constant = self.named(node.attr, value.module.scope)
                yield from [constant] if constant is not None else []
            elif isinstance(value, Instance) or (isinstance(value, Program) and value.scope.is_class):
                yield from self._of_class(node, scope, value.scope, is_known=True)

    def _of_class(self, node: ast.Attribute, scope: Scope, owner: Scope, *, is_known: bool) -> Iterator[Constant]:
        """What the class says or inherits; those below it where it says nothing, or is not known to be the very one."""
        found = dict.fromkeys(self._own(node.attr, owner))
        below = self.inference.classes.inheriting.get(owner, ()) if not (found and is_known) else ()
        found |= dict.fromkeys(constant for inner in below for constant in self._own(node.attr, inner))
        for binding, where in self._stored(node.attr, {*self.inference.lineage(owner), *below}):
            given = _given(binding)
            if given is None:
                found[node, scope] = None
            elif not _is_none(given):
                found[given, where] = None
        yield from found

    def _own(self, name: str, owner: Scope) -> Iterator[Constant]:
        """The nearest value in the class and those that it inherits from; None says that others have to give one."""
        nearest = next((scope for scope in self.inference.lineage(owner) if name in scope.bindings), None)
        constant = self.named(name, nearest)
        if constant is not None and not _is_none(constant[0]):
            yield constant

    def _stored(self, name: str, family: set[Scope]) -> Iterator[tuple[Binding, Scope]]:
        """What is assigned to the attribute of an instance or of the class, in a method or elsewhere."""
        for target, binding, scope in self.inference.classes.stored(name):
            own = self.inference.classes.of_self(target.value, scope)
            values = self.inference.of(target.value, scope) if own is None else ()
            owners = {value.scope for value in values if isinstance(value, Instance | Program)} | {own}
            if not family.isdisjoint(owners - {None}):
                yield binding, scope

    def named(self, name: str, owner: Scope | None) -> Constant | None:
        """As of(), of a name that the scope binds; a name with two values is a variable."""
        bindings = owner.bindings.get(name, ()) if owner is not None else ()
        if owner is None or len(bindings) != 1:
            return None
        [binding] = bindings
        if (given := _given(binding)) is not None:
            return given, owner
        if binding.how is not How.IMPORTED or not isinstance(binding.node, ast.ImportFrom):
            return None
        module, _, original = self.inference.tree.imported(binding, name, owner)
        return self.named(original, module.scope) if module and module is not owner.module else None


def _given(binding: Binding) -> ast.expr | None:
    """What a name or attribute is assigned, whole."""
    return binding.value if binding.how is How.ASSIGNED and not binding.path else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
