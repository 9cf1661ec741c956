"""Which functions answer HTTP requests, and which run by the clock.

Flask, FastAPI, aiohttp and Django; APScheduler, schedule and decorators like theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrator.core.python.inference import Inference
from migrator.core.python.modules import Call, Function, Scope
from migrator.core.python.program import Program
from migrator.core.python.texts import Reader
from migrator.core.python.values import Bound, External, Made, Method, Values
from migrator.core.python.values import Program as Defined

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_ROUTERS = ("fastapi.FastAPI", "fastapi.APIRouter", "flask.Flask", "flask.Blueprint", "aiohttp.web.RouteTableDef")
_AIOHTTP = ("aiohttp.web.UrlDispatcher", "aiohttp.web.Application.router")
_INCLUDED = {"include_router": "prefix", "register_blueprint": "url_prefix"}
_PREFIXES = ("prefix", "url_prefix")
_TRIGGERS = ("cron", "interval", "date")


@dataclass(frozen=True, eq=False)
class Endpoint:
    method: str
    path: str
    function: Scope


@dataclass(frozen=True, eq=False)
class Job:
    """`line` is where it is registered, `file` the file of that line."""

    file: str
    line: int
    function: Scope
    trigger: str


class Doors:
    """The functions through which the world comes into a program."""

    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference
        self.reader = Reader(inference)
        self._prefixes = self._included()

    def endpoints(self) -> list[Endpoint]:
        found = [*self._decorated(), *self._registered(), *self._django()]
        return sorted(found, key=lambda item: (item.function.module.path, _line(item.function), item.path, item.method))

    # -- decorators ----------------------------------------------------------------------------------------------------

    def _decorated(self) -> Iterator[Endpoint]:
        for scope in self.tree.scopes():
            for decorator in getattr(scope.node, "decorator_list", ()) if scope.is_function else ():
                if isinstance(decorator, ast.Call) and scope.parent is not None:
                    yield from self._by_decorator(decorator, scope, scope.parent)

    def _by_decorator(self, decorator: ast.Call, function: Scope, outside: Scope) -> Iterator[Endpoint]:
        for value in self.inference.called(decorator, outside):
            if isinstance(value, Method) and value.of.type in _ROUTERS:
                path = self._text(decorator.args[0] if decorator.args else _keyword(decorator, "path"), outside)
                for prefix in self._prefixes_of(value.of):
                    for method in self._methods(value.name, decorator):
                        yield Endpoint(method, prefix + path, function)

    def _methods(self, name: str, call: ast.Call) -> tuple[str, ...]:
        if name in _VERBS:
            return (name.upper(),)
        if name not in ("route", "api_route", "websocket"):
            return ()
        given = _keyword(call, "methods")
        if isinstance(given, ast.List | ast.Tuple | ast.Set):
            return tuple(sorted(str(item.value).upper() for item in given.elts if isinstance(item, ast.Constant)))
        return ("WEBSOCKET",) if name == "websocket" else ("GET",)

    # -- prefixes ------------------------------------------------------------------------------------------------------

    def _included(self) -> dict[ast.Call, list[tuple[str, Made]]]:
        """By the call that made a router: the prefix it is included under, and by whom."""
        found: dict[ast.Call, list[tuple[str, Made]]] = {}
        for name, keyword in _INCLUDED.items():
            for call in self.tree.calls.get(name, ()):
                if not call.node.args:
                    continue
                prefix = self._text(_keyword(call.node, keyword), call.scope)
                owners = [
                    value.of for value in self.inference.called(call.node, call.scope) if isinstance(value, Method)
                ]
                for value in self.inference.of(call.node.args[0], call.scope):
                    if isinstance(value, Made) and value.origin:
                        found.setdefault(value.origin.node, []).extend((prefix, owner) for owner in owners)
        return found

    def _prefixes_of(self, router: Made, depth: int = 0) -> list[str]:
        if router.origin is None:
            return [""]
        call = router.origin.node
        own = "".join(self._text(_keyword(call, name), router.origin.scope) for name in _PREFIXES)
        included = self._prefixes.get(call, [])
        if not included or depth > 8:
            return [own]
        # A Blueprint's own prefix gives way to that of its registration.
        replaces = router.type == "flask.Blueprint"
        return [
            outer + (prefix if replaces and prefix else prefix + own)
            for prefix, owner in included
            for outer in self._prefixes_of(owner, depth + 1)
        ]

    # -- calls that register -------------------------------------------------------------------------------------------

    def _registered(self) -> Iterator[Endpoint]:
        for method in _VERBS:
            for call in self.tree.calls.get(f"add_{method}", ()):
                if any(_is_made(value, _AIOHTTP) for value in self.inference.called(call.node, call.scope)):
                    yield from self._handled(method.upper(), call, 0, 1)
            for call in self.tree.calls.get(method, ()):
                if _is_external(self.inference.called(call.node, call.scope), f"aiohttp.web.{method}"):
                    yield from self._handled(method.upper(), call, 0, 1)
        for call in self.tree.calls.get("add_url_rule", ()):
            view = _keyword(call.node, "view_func") or (call.node.args[2] if len(call.node.args) > 2 else None)
            for verb in self._methods("route", call.node):
                yield from self._handlers(verb, call, call.node.args[:1], view)
        for call in self.tree.calls.get("add_api_route", ()):
            for verb in self._methods("api_route", call.node):
                yield from self._handled(verb, call, 0, 1)

    def _handled(self, method: str, call: Call, path: int, handler: int) -> Iterator[Endpoint]:
        given = call.node.args
        if len(given) > handler:
            yield from self._handlers(method, call, given[path : path + 1], given[handler])

    def _handlers(self, method: str, call: Call, path: list[ast.expr], handler: ast.expr | None) -> Iterator[Endpoint]:
        text = self._text(path[0] if path else None, call.scope)
        owners = [value.of for value in self.inference.called(call.node, call.scope) if isinstance(value, Method)]
        prefixes = [prefix for owner in owners for prefix in self._prefixes_of(owner)] or [""]
        for function in _functions(self.inference.of(handler, call.scope)):
            for prefix in prefixes:
                yield Endpoint(method, prefix + text, function)

    def _django(self) -> Iterator[Endpoint]:
        """urlpatterns = [path("x/", views.x)]: a view may answer every method."""
        for name in ("path", "re_path"):
            for call in self.tree.calls.get(name, ()):
                if (
                    _is_external(self.inference.called(call.node, call.scope), f"django.urls.{name}")
                    and len(call.node.args) > 1
                ):
                    text = self._text(call.node.args[0], call.scope)
                    for function in _functions(self.inference.of(call.node.args[1], call.scope)):
                        yield Endpoint("ANY", f"/{text}", function)

    def _text(self, node: ast.expr | None, scope: Scope) -> str:
        return self.reader.of(node, scope)[0].filled("…") if node is not None else ""

    # -- jobs ----------------------------------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        found = [*self._added_jobs(), *self._decorated_jobs()]
        return sorted(found, key=lambda job: (job.file, job.line))

    def _added_jobs(self) -> Iterator[Job]:
        for call in self.tree.calls.get("add_job", ()):
            given = call.node.args[0] if call.node.args else _keyword(call.node, "func")
            for function in _functions(self.inference.of(given, call.scope)):
                trigger = call.node.args[1] if len(call.node.args) > 1 else _keyword(call.node, "trigger")
                yield Job(call.scope.module.path.as_posix(), call.line, function, self._trigger(trigger, call.scope))
        for call in self.tree.calls.get("do", ()):  # schedule.every().hour.do(f)
            if any(_is_made(value, ("schedule.",)) for value in self.inference.called(call.node, call.scope)):
                for function in _functions(
                    self.inference.of(call.node.args[0], call.scope) if call.node.args else frozenset()
                ):
                    yield Job(call.scope.module.path.as_posix(), call.line, function, "interval")

    def _decorated_jobs(self) -> Iterator[Job]:
        for scope in self.tree.scopes():
            for decorator in getattr(scope.node, "decorator_list", ()) if scope.is_function else ():
                name = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(name, ast.Attribute) and name.attr in (
                    "scheduled_job",
                    "cron",
                    "periodic_task",
                    "repeat_every",
                ):
                    given = decorator.args if isinstance(decorator, ast.Call) else []
                    trigger = self._trigger(given[0] if given else None, scope) or name.attr
                    yield Job(scope.module.path.as_posix(), decorator.lineno, scope, trigger)

    def _trigger(self, node: ast.expr | None, scope: Scope) -> str:
        """cron, interval or date: its name, or the class of the trigger."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        for value in self.inference.of(node, scope) if node is not None else ():
            if isinstance(value, Made):
                return value.type.rpartition(".")[2].removesuffix("Trigger").lower()
        return "date" if node is None else ""


def _functions(values: Values) -> list[Scope]:
    return [value.scope for value in values if isinstance(value, Defined | Bound) and value.scope.is_function]


def _is_made(value: object, prefixes: Iterable[str]) -> bool:
    return isinstance(value, Method) and any(value.of.type.startswith(prefix) for prefix in prefixes)


def _is_external(values: Values, name: str) -> bool:
    return any(isinstance(value, External) and value.name == name for value in values)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((item.value for item in call.keywords if item.arg == name), None)


def _line(scope: Scope) -> int:
    return scope.node.lineno if isinstance(scope.node, Function) else 0
