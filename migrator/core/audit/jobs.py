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
from migrator.core.python.values import Made, Method

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
    function: Scope
    trigger: str


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
            for function in functions(self.inference.of(given, call.scope)):
                yield _job(call.scope, call.line, function, self._trigger(trigger, call.scope))

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
                    yield _job(scope, decorator.lineno, scope, trigger)

    def _trigger(self, node: ast.expr | None, scope: Scope) -> str:
        """cron, interval or date: its name, or the class of the trigger."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        for value in self.inference.of(node, scope):
            if isinstance(value, Made):
                return value.type.rpartition(".")[2].removesuffix("Trigger").lower()
        return "date" if node is None else ""


def _job(where: Scope, line: int, function: Scope, trigger: str) -> Job:
    return Job(where.module.path.as_posix(), line, function, trigger)
