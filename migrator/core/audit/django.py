"""Django's urlpatterns: which view answers which path, through include()."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.core.audit.handlers import handlers, is_external
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Call, Module, Scope
from migrator.core.python.program import Program
from migrator.core.python.texts import Reader
from migrator.core.python.values import Package

_PATHS = ("path", "re_path")
_DEEPEST = 8


class UrlPatterns:
    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference
        self.reader = Reader(inference)
        self._included: dict[Module, list[tuple[str, Module]]] = {}
        self._calls = [call for name in _PATHS for call in tree.calls.get(name, ()) if self._is_path(call)]
        for call in self._calls:
            for module in self._modules_of(call.node.args[1], call.scope):
                self._included.setdefault(module, []).append((self._text(call), call.scope.module))

    def routes(self) -> Iterator[tuple[str, str, Scope]]:
        """(method, path, function); a view may answer every method, which is ANY."""
        for call in self._calls:
            for method, function in handlers(self.inference, "ANY", call.node.args[1], call.scope):
                for prefix in self._prefixes(call.scope.module):
                    yield method, f"/{prefix}{self._text(call)}", function

    def _is_path(self, call: Call) -> bool:
        called = self.inference.called(call.node, call.scope)
        return len(call.node.args) > 1 and is_external(called, *(f"django.urls.{name}" for name in _PATHS))

    def _modules_of(self, node: ast.expr, scope: Scope) -> Iterator[Module]:
        """include("shop.urls"), include(shop.urls), include(("shop.urls", "shop"))"""
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

    def _prefixes(self, module: Module, depth: int = 0) -> list[str]:
        if module not in self._included or depth > _DEEPEST:
            return [""]
        return [
            outer + prefix
            for prefix, includer in self._included[module]
            for outer in self._prefixes(includer, depth + 1)
        ]

    def _text(self, call: Call) -> str:
        return self.reader.of(call.node.args[0], call.scope)[0].filled("…")
