"""Django's urlpatterns: which view answers which path, through include()."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.handlers import handlers, is_external
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Call, Module, Scope
from migrator.core.python.program import Program
from migrator.core.python.texts import Reader
from migrator.core.python.values import Callee, Package

_PATHS = ("path", "re_path")
_DEEPEST = 8


class UrlPatterns:
    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference
        self.reader = Reader(inference)
        self._calls = [call for name in _PATHS for call in tree.calls.get(name, ()) if self._is_path(call)]
        self._included: dict[Module | ast.expr, list[Call]] = {}  # the paths that include a module, or a path in a list
        for call in self._calls:
            for included in self._included_by(call.node.args[1], call.scope):
                self._included.setdefault(included, []).append(call)

    def routes(self) -> Iterator[tuple[str, str, Callee]]:
        """(method, path, function); a view may answer every method, which is ANY."""
        for call in self._calls:
            for method, function in handlers(self.inference, "ANY", call.node.args[1], call.scope):
                for prefix in self._prefixes(call):
                    yield method, f"/{prefix}{self._text(call)}", function

    def _is_path(self, call: Call) -> bool:
        called = self.inference.called(call.node, call.scope)
        return len(call.node.args) > 1 and is_external(called, *(f"django.urls.{name}" for name in _PATHS))

    def _included_by(self, node: ast.expr, scope: Scope) -> Iterator[Module | ast.expr]:
        """include("shop.urls"), include(shop.urls), include([path(…), …]), and each of them in a pair with a name."""
        if not (isinstance(node, ast.Call) and node.args):
            return
        if not is_external(self.inference.called(node, scope), "django.urls.include"):
            return
        given = node.args[0]
        if isinstance(given, ast.Tuple) and given.elts:
            given = given.elts[0]
        if isinstance(given, ast.Constant):
            found = self.tree.module_named(str(given.value), scope.module)
            yield from [found] if found else []
        yield from (value.module for value in self.inference.of(given, scope) if isinstance(value, Package))
        constant = self.inference.constant(given, scope)
        listed = constant[0] if constant is not None else given
        yield from listed.elts if isinstance(listed, ast.List | ast.Tuple) else []

    def _prefixes(self, call: Call, depth: int = 0) -> list[str]:
        """Of what stands before a path: what its list or, else, its module is included under."""
        includers = self._included.get(call.node) or self._included.get(call.scope.module)
        if includers is None or depth > _DEEPEST:
            return [""]
        return [outer + self._text(includer) for includer in includers for outer in self._prefixes(includer, depth + 1)]

    def _text(self, call: Call) -> str:
        return self.reader.of(call.node.args[0], call.scope)[0].filled("…")
