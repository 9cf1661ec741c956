"""Which functions answer HTTP requests: Flask, FastAPI, aiohttp and Django."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from migrator.core.audit.django import UrlPatterns
from migrator.core.audit.handlers import VERBS, handlers, is_external, is_method_of, verbs_of
from migrator.core.audit.jobs import Clock, Job
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Call, Function, Scope
from migrator.core.python.program import Program
from migrator.core.python.sites import keyword
from migrator.core.python.texts import Reader
from migrator.core.python.values import Callee, External, Made, Method

_ROUTERS = ("fastapi.FastAPI", "fastapi.APIRouter", "flask.Flask", "flask.Blueprint", "aiohttp.web.RouteTableDef")
_AIOHTTP = ("aiohttp.web.UrlDispatcher", "aiohttp.web.Application.router")
# By which call one router comes into another: the argument that says the prefix, and the place of the inner router.
_INCLUDED = {
    "include_router": ("prefix", 0),
    "register_blueprint": ("url_prefix", 0),
    "mount": ("path", 1),
    "add_subapp": ("prefix", 1),
    "add_routes": ("", 0),
}
# What runs beside all endpoints of a router, or of the whole application.
_AROUND = ("before_request", "after_request", "middleware")
_AROUND_ALL = ("before_app_request", "after_app_request")
_PREFIXES = ("prefix", "url_prefix")
_DEEPEST = 8  # routers inside of others


@dataclass(frozen=True, eq=False)
class Endpoint:
    method: str
    path: str
    runs: Callee

    @property
    def function(self) -> Scope:
        return self.runs.function


class Doors:
    """The functions through which the world comes into a program."""

    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference
        self.reader = Reader(inference)
        self._including: dict[ast.Call, list[Call]] = {}  # by the call that made a router
        self._prefixes = self._included()

    def endpoints(self) -> list[Endpoint]:
        """Each once, in the order of files and lines."""
        found = [*self._decorated(), *self._registered(), *self._django()]
        once = {(item.method, item.path, item.runs): item for item in found}
        return sorted(
            once.values(), key=lambda item: (item.function.module.path, _line(item.function), item.path, item.method)
        )

    def jobs(self) -> list[Job]:
        return Clock(self.tree, self.inference).jobs()

    # -- decorators ----------------------------------------------------------------------------------------------------

    def _decorated(self) -> Iterator[Endpoint]:
        for scope in self.tree.scopes():
            for decorator in getattr(scope.node, "decorator_list", ()):
                if scope.parent is None:
                    continue
                if scope.is_function:
                    yield from self._around(decorator, scope, scope.parent)
                if not isinstance(decorator, ast.Call):
                    continue
                if scope.is_function:
                    yield from self._by_decorator(decorator, scope, scope.parent)
                else:
                    yield from self._of_view(decorator, scope, scope.parent)

    def _by_decorator(self, decorator: ast.Call, function: Scope, outside: Scope) -> Iterator[Endpoint]:
        for value in self.inference.called(decorator, outside):
            if isinstance(value, Method) and value.of.type in _ROUTERS:
                path = self._text(decorator.args[0] if decorator.args else keyword(decorator, "path"), outside)
                before = (*self._before(value.of), *self.inference.dependencies_in(decorator, outside))
                for prefix in self._prefixes_of(value.of):
                    for method in self._methods(value.name, decorator):
                        yield Endpoint(method, prefix + path, Callee(function, before=before))

    def _around(self, decorator: ast.expr, function: Scope, outside: Scope) -> Iterator[Endpoint]:
        """`@app.before_request` and its like: it answers every request in part."""
        written = decorator.func if isinstance(decorator, ast.Call) else decorator
        for value in self.inference.of(written, outside):
            if isinstance(value, Method) and value.of.type in _ROUTERS and value.name in (*_AROUND, *_AROUND_ALL):
                for prefix in self._prefixes_of(value.of) if value.name in _AROUND else [""]:
                    yield Endpoint("ANY", f"{prefix}/*", Callee(function))
            elif isinstance(value, External) and value.name == "aiohttp.web.middleware":
                yield Endpoint("ANY", "/*", Callee(function))

    def _of_view(self, decorator: ast.Call, view: Scope, outside: Scope) -> Iterator[Endpoint]:
        """`@routes.view("/path") class View(web.View)`, of aiohttp: each method answers its verb."""
        called = self.inference.called(decorator, outside)
        if not any(
            isinstance(value, Method) and value.of.type in _ROUTERS and value.name == "view" for value in called
        ):
            return
        path = self._text(decorator.args[0] if decorator.args else keyword(decorator, "path"), outside)
        for verb, function in verbs_of(self.inference, view):
            yield Endpoint(verb, path, function)

    def _methods(self, name: str, call: ast.Call) -> tuple[str, ...]:
        if name in VERBS:
            return (name.upper(),)
        if name not in ("route", "api_route", "websocket"):
            return ()
        given = keyword(call, "methods")
        if _is_list(given):
            return tuple(sorted(str(item.value).upper() for item in given.elts if isinstance(item, ast.Constant)))
        return ("WEBSOCKET",) if name == "websocket" else ("GET",)

    # -- prefixes ------------------------------------------------------------------------------------------------------

    def _included(self) -> dict[ast.Call, list[tuple[str, Made]]]:
        """By the call that made a router: the prefix it is included under, and by whom."""
        found: dict[ast.Call, list[tuple[str, Made]]] = {}
        for name, (option, place) in _INCLUDED.items():
            for call in self.tree.calls.get(name, ()):
                if len(call.node.args) <= place:
                    continue
                written = keyword(call.node, option) or (call.node.args[0] if place else None)
                prefix = self._text(written, call.scope).rstrip("/")
                owners = [
                    value.of for value in self.inference.called(call.node, call.scope) if isinstance(value, Method)
                ]
                for inner in self._inner(call.node.args[place], call.scope):
                    found.setdefault(inner, []).extend((prefix, owner) for owner in owners)
                    self._including.setdefault(inner, []).append(call)
        return found

    def _inner(self, node: ast.expr, scope: Scope) -> Iterator[ast.Call]:
        """The calls that made what is included: a router, or each of aiohttp's routes in a list."""
        if isinstance(node, ast.List | ast.Tuple):
            yield from (item for item in node.elts if isinstance(item, ast.Call))
        for value in self.inference.of(node, scope):
            if isinstance(value, Made) and value.origin:
                yield value.origin.node

    def _prefixes_of(self, router: Made, depth: int = 0) -> list[str]:
        if router.origin is None:
            return [""]
        call = router.origin.node
        own = "".join(self._text(keyword(call, name), router.origin.scope) for name in _PREFIXES)
        if call not in self._prefixes or depth > _DEEPEST:
            return [own]
        # A Blueprint's own prefix gives way to that of its registration.
        replaces = router.type == "flask.Blueprint"
        return [
            outer + (prefix if replaces and prefix else prefix + own) for outer, prefix in self._outer(call, depth + 1)
        ]

    def _outer(self, included: ast.Call, depth: int = 0) -> list[tuple[str, str]]:
        """The prefixes of what it is included by, each with that of its own inclusion."""
        found = self._prefixes.get(included, [])
        return [(outer, prefix) for prefix, owner in found for outer in self._prefixes_of(owner, depth)]

    def _before(self, router: Made, depth: int = 0) -> Iterator[Scope]:
        """What FastAPI runs before all endpoints of a router: its own dependencies, and those it is included with."""
        if router.origin is None or depth > _DEEPEST:
            return
        yield from self.inference.dependencies_in(router.origin.node, router.origin.scope)
        for call in self._including.get(router.origin.node, ()):
            yield from self.inference.dependencies_in(call.node, call.scope)
        for _, owner in self._prefixes.get(router.origin.node, ()):
            yield from self._before(owner, depth + 1)

    # -- calls that register -------------------------------------------------------------------------------------------

    def _registered(self) -> Iterator[Endpoint]:
        yield from self._of_flask()
        yield from self._of_fastapi()
        yield from self._of_aiohttp()

    def _of_flask(self) -> Iterator[Endpoint]:
        for call in self.tree.calls.get("add_url_rule", ()):
            view = keyword(call.node, "view_func") or (call.node.args[2] if len(call.node.args) > 2 else None)
            is_told = _is_list(keyword(call.node, "methods"))
            for verb in self._methods("route", call.node):
                found = self._handled(verb, call, call.node.args[:1], view)
                # A view may have more methods than this rule lets through.
                yield from (item for item in found if item.method == verb or not is_told)
        for call in self.tree.calls.get("add_resource", ()):
            if call.node.args:
                yield from self._handled("ANY", call, call.node.args[1:2], call.node.args[0])

    def _of_fastapi(self) -> Iterator[Endpoint]:
        for call in self.tree.calls.get("add_api_route", ()):
            for verb in self._methods("api_route", call.node):
                view = keyword(call.node, "endpoint") or (call.node.args[1] if call.node.args[1:] else None)
                yield from self._handled(verb, call, call.node.args[:1], view)

    def _of_aiohttp(self) -> Iterator[Endpoint]:
        """router.add_get(path, f), web.get(path, f), and the same with the method before the path, or with a view."""
        for verb in (*VERBS, "view", "route"):
            method = "ANY" if verb == "view" else verb.upper()
            calls = [call for call in self.tree.calls.get(f"add_{verb}", ()) if self._is_method_of(call, *_AIOHTTP)]
            calls += [call for call in self.tree.calls.get(verb, ()) if self._is_external(call, f"aiohttp.web.{verb}")]
            for call in calls:
                given = call.node.args
                if verb == "route" and given:
                    method, given = self._text(given[0], call.scope).upper().replace("*", "ANY"), given[1:]
                if len(given) > 1:
                    yield from self._handled(method, call, given[:1], given[1])

    def _handled(self, method: str, call: Call, path: list[ast.expr], handler: ast.expr | None) -> Iterator[Endpoint]:
        text = self._text(path[0] if path else None, call.scope)
        owners = [value.of for value in self.inference.called(call.node, call.scope) if isinstance(value, Method)]
        prefixes = [prefix for owner in owners for prefix in self._prefixes_of(owner)]
        prefixes = prefixes or [outer + prefix for outer, prefix in self._outer(call.node)] or [""]
        before = [scope for owner in owners for scope in self._before(owner)]
        before += self.inference.dependencies_in(call.node, call.scope)
        for verb, function in handlers(self.inference, method, handler, call.scope):
            for prefix in prefixes:
                yield Endpoint(verb, prefix + text, replace(function, before=tuple(before)))

    def _is_method_of(self, call: Call, *types: str) -> bool:
        return is_method_of(self.inference.called(call.node, call.scope), *types)

    def _is_external(self, call: Call, name: str) -> bool:
        return is_external(self.inference.called(call.node, call.scope), name)

    def _django(self) -> Iterator[Endpoint]:
        yield from (Endpoint(*route) for route in UrlPatterns(self.tree, self.inference).routes())

    def _text(self, node: ast.expr | None, scope: Scope) -> str:
        return self.reader.of(node, scope)[0].filled("…") if node is not None else ""


def _is_list(node: ast.expr | None) -> TypeGuard[ast.List | ast.Tuple | ast.Set]:
    return isinstance(node, ast.List | ast.Tuple | ast.Set)


def _line(scope: Scope) -> int:
    return scope.node.lineno if isinstance(scope.node, Function) else 0
