"""What the classes of a program have to do with each other, and what a call runs of them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.core.python.modules import Binding, Call, Scope
from migrator.core.python.values import Bound, Callee, Instance, Program, Value, Values

if TYPE_CHECKING:
    from migrator.core.python.inference import Inference


class Classes:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference

    @cached_property
    def inheriting(self) -> Mapping[Scope, tuple[Scope, ...]]:
        """By class: those of the program that inherit from it."""
        found: dict[Scope, list[Scope]] = defaultdict(list)
        for scope in self.inference.tree.scopes():
            for base in self.inference.lineage(scope) if scope.is_class else ():
                if base is not scope:
                    found[base].append(scope)
        return {base: tuple(scopes) for base, scopes in found.items()}

    def above(self, scope: Scope) -> Iterator[Scope]:
        """The classes of the program that super() may mean."""
        inside: Scope | None = scope
        while inside is not None and not inside.is_class:
            inside = inside.parent
        for base in getattr(inside.node, "bases", ()) if inside else ():
            for value in self.inference.of(base, (inside and inside.parent) or scope):
                if isinstance(value, Program) and value.scope.is_class:
                    yield value.scope

    def of_self(self, node: ast.expr, scope: Scope) -> Scope | None:
        """The class whose instance a method calls self, where the expression is that name."""
        owner = scope.owner_of(node.id) if isinstance(node, ast.Name) else None
        if owner is None or owner.parent is None or not self.inference.is_own(node, owner):
            return None
        return owner.parent

    def stored(self, name: str) -> tuple[tuple[ast.Attribute, Binding, Scope], ...]:
        """What is assigned to an attribute of that name, and where."""
        return self._attributes.get(name, ())

    @cached_property
    def _attributes(self) -> Mapping[str, tuple[tuple[ast.Attribute, Binding, Scope], ...]]:
        found: dict[str, list[tuple[ast.Attribute, Binding, Scope]]] = defaultdict(list)
        for scope in self.inference.tree.scopes():
            for name, targets in scope.attributes.items():
                found[name] += [(target, binding, scope) for target, binding in targets]
        return {name: tuple(targets) for name, targets in found.items()}

    # -- what a call runs ----------------------------------------------------------------------------------------------

    def called(self, call: Call, of: Scope | None) -> Iterator[Callee]:
        """The functions that a call may run; `of` is the class of the instance that the call stands in a method of."""
        node, scope = call.node.func, call.scope
        for value in self._seen_by(node, scope, of):
            yield from self._run_by(value, of if _is_super(node) or self._is_inside(value, scope) else None)

    def named(self, node: ast.expr, scope: Scope, of: Scope | None) -> Iterator[Callee]:
        """The functions that an expression names without calling them, as Inference.functions_named()."""
        if isinstance(node, ast.Name | ast.Attribute | ast.Lambda):
            for value in self._seen_by(node, scope, of):
                if isinstance(value, Program | Bound) and value.scope.is_function:
                    yield from self._run_by(value, of if self._is_inside(value, scope) else None)

    def _seen_by(self, node: ast.expr, scope: Scope, of: Scope | None) -> Values:
        """As Inference.of(), but self is an instance of that class."""
        if of is not None and self.of_self(node, scope) is not None:
            return frozenset([Instance(of)])
        if of is not None and isinstance(node, ast.Attribute):
            owners = self._seen_by(node.value, scope, of)
            return frozenset(value for owner in owners for value in self.inference.attribute(owner, node.attr))
        return self.inference.of(node, scope)

    def _run_by(self, value: Value, of: Scope | None) -> Iterator[Callee]:
        if isinstance(value, Bound):
            yield Callee(value.scope, of or value.of)
        elif isinstance(value, Program) and value.scope.is_function:
            yield Callee(value.scope, of)
        elif isinstance(value, Program):
            yield from (Callee(method, value.scope) for method in self.inference.methods(value.scope, "__init__"))

    @staticmethod
    def _is_inside(value: Value, scope: Scope) -> bool:
        """Whether a function is defined in the one that calls it, whose self it sees."""
        return isinstance(value, Program) and value.scope.parent is scope.function


def _is_super(node: ast.expr) -> bool:
    """super().method"""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "super"
    )
