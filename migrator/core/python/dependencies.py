"""FastAPI's Depends(f): what runs before a function, and what it gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.core.python.modules import Function, Scope
from migrator.core.python.values import NOTHING, Bound, External, Instance, Managed, Program, Several, Value, Values

if TYPE_CHECKING:
    from migrator.core.python.inference import Inference

DEPENDS = ("fastapi.Depends", "fastapi.Security", "fastapi.params.Depends")


class Dependencies:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference

    def given(self, function: ast.AST | None, scope: Scope) -> Values:
        """FastAPI's Depends(f): what f returns or, once, yields."""
        return frozenset(given for value in self.inference.of(function, scope) for given in self._given(value))

    def _given(self, value: Value) -> Values:
        if isinstance(value, Program) and value.scope.is_class:
            return frozenset([Instance(value.scope)])
        if not isinstance(value, Program | Bound):
            return NOTHING
        return frozenset(
            given.content if isinstance(given, Managed) else given.element if isinstance(given, Several) else given
            for given in self.inference.returned(value.scope)
        )

    def before(self, function: Scope) -> Iterator[Scope]:
        """What FastAPI runs before the function, whatever the route: Depends(f) as a default or in an annotation."""
        if not isinstance(function.node, Function):
            return
        outside = function.parent or function
        arguments = function.node.args
        places = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
        places += [item.annotation for item in function.parameters() if item.annotation is not None]
        for place in places:
            yield from self.within(place, outside)

    def within(self, node: ast.expr, scope: Scope) -> Iterator[Scope]:
        """What the Depends(f) in an expression run."""
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and call.args and self._is_depends(call, scope):
                for value in self.inference.of(call.args[0], scope):
                    yield from self._run_by(value)

    def _is_depends(self, call: ast.Call, scope: Scope) -> bool:
        return any(
            isinstance(value, External) and value.name in DEPENDS for value in self.inference.called(call, scope)
        )

    def _run_by(self, value: Value) -> Iterator[Scope]:
        if isinstance(value, Program) and value.scope.is_class:
            yield from self.inference.methods(value.scope, "__init__")
        elif isinstance(value, Program | Bound):
            yield value.scope
        elif isinstance(value, Instance):
            yield from self.inference.methods(value.scope, "__call__")
