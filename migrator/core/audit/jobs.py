"""Which functions run by the clock: APScheduler, schedule, and decorators like theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.core.audit.handlers import functions, name_called
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Scope
from migrator.core.python.program import Program
from migrator.core.python.sites import keyword
from migrator.core.python.values import Callee, Made, Method, Package, Values

# Decorators by their last name; None where the first argument says which trigger it is.
_DECORATORS = {
    "scheduled_job": None,
    "cron": "cron",
    "crontab": "cron",
    "periodic_task": "interval",
    "repeat_every": "interval",
}


@dataclass(frozen=True, eq=False)
class Job:
    """`line` is where it is registered, `file` the file of that line."""

    file: str
    line: int
    runs: Callee
    trigger: str

    @property
    def function(self) -> Scope:
        return self.runs.function


class Clock:
    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference

    def jobs(self) -> list[Job]:
        """In the order of files and lines."""
        found = [*self._added(), *self._scheduled(), *self._decorated()]
        return sorted(found, key=lambda job: (job.file, job.line))

    def _added(self) -> Iterator[Job]:
        for call in self.tree.calls.get("add_job", ()):
            given = call.node.args[0] if call.node.args else keyword(call.node, "func")
            trigger = call.node.args[1] if len(call.node.args) > 1 else keyword(call.node, "trigger")
            for function in self._given(given, call.scope):
                yield _job(call.scope, call.line, function, self._trigger(trigger, call.scope))

    def _given(self, node: ast.expr | None, scope: Scope) -> Iterator[Callee]:
        """A function, or APScheduler's text that names one: "module:function"."""
        yield from functions(self.inference.of(node, scope))
        constant = self.inference.constant(node, scope) if node is not None else None
        text = constant[0] if constant is not None else node
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            module, _, path = text.value.partition(":")
            found = self.tree.module_named(module, scope.module)
            values: Values = frozenset([Package(found)] if found and path else [])
            for name in path.split("."):
                values = frozenset(inner for value in values for inner in self.inference.attribute(value, name))
            yield from functions(values)

    def _scheduled(self) -> Iterator[Job]:
        """schedule.every().hour.do(f)"""
        for call in self.tree.calls.get("do", ()):
            called = self.inference.called(call.node, call.scope)
            if any(isinstance(value, Method) and value.of.type.startswith("schedule.") for value in called):
                for function in functions(self.inference.of(next(iter(call.node.args), None), call.scope)):
                    yield _job(call.scope, call.line, function, "interval")

    def _decorated(self) -> Iterator[Job]:
        for scope in self.tree.scopes():
            for decorator in getattr(scope.node, "decorator_list", ()) if scope.is_function else ():
                node = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = name_called(self.inference, node, scope.parent or scope)
                if name in _DECORATORS:
                    given = decorator.args if isinstance(decorator, ast.Call) else []
                    trigger = _DECORATORS[name] or self._trigger(next(iter(given), None), scope)
                    yield _job(scope, decorator.lineno, Callee(scope), trigger)

    def _trigger(self, node: ast.expr | None, scope: Scope) -> str:
        """cron, interval or date: its name, or the class of the trigger."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        for value in self.inference.of(node, scope):
            if isinstance(value, Made):
                return value.type.rpartition(".")[2].removesuffix("Trigger").lower()
        return "date" if node is None else ""


def _job(where: Scope, line: int, function: Callee, trigger: str) -> Job:
    return Job(where.module.path.as_posix(), line, function, trigger)
