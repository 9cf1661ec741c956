"""Decorators of the program: what they pass to the functions that they stand above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.core.python.kept import Kept
from migrator.core.python.modules import Call, Scope
from migrator.core.python.values import Bound, Program

if TYPE_CHECKING:
    from migrator.core.python.inference import Inference


class Decorators:
    def __init__(self, inference: Inference, once: Kept) -> None:
        self.inference = inference
        self.once = once

    def calls_of(self, function: Scope) -> frozenset[Call]:
        """Those by which the decorators of a function call it: `function(conn, *args)` in the wrapper."""
        if not getattr(function.node, "decorator_list", ()):
            return frozenset()
        return self.once(("decorated", function), lambda: frozenset(self._calls_of(function)))

    def _calls_of(self, function: Scope) -> Iterator[Call]:
        for decorator in getattr(function.node, "decorator_list", ()):
            for value in self.inference.of(decorator, function.parent or function):
                if isinstance(value, Program | Bound) and value.scope.is_function:
                    names = [item.arg for item in value.scope.parameters()]
                    given = names[1:] if isinstance(value, Bound) else names
                    yield from _calls_in(value.scope, given[0], value.scope) if given else ()

    def place(self, function: Scope, place: int, call: Call) -> int | None:
        """At which place of a call a parameter's value stands; None where the decorator gives it."""
        passing = self.calls_of(function)
        if call in passing:
            return place
        for passed in sorted(passing, key=lambda item: item.line)[:1]:
            given = passed.node.args
            names = [item.arg for item in passed.scope.parameters()]
            starred = next((at for at, item in enumerate(given) if isinstance(item, ast.Starred)), len(given))
            if place >= starred:
                return len(names) + place - starred
            node = given[place]
            return names.index(node.id) if isinstance(node, ast.Name) and node.id in names else None
        return place


def _calls_in(scope: Scope, name: str, owner: Scope) -> Iterator[Call]:
    """Calls of what a function is given under that name, in it and in the functions inside it."""
    for call in scope.calls:
        function = call.node.func
        if isinstance(function, ast.Name) and function.id == name and scope.owner_of(name) is owner:
            yield call
    for inner in scope.inner:
        yield from _calls_in(inner, name, owner)
