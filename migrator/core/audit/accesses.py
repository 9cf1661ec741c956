"""Who reads and writes which table, and through which functions a request or a job comes to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migrator.core.audit.sent import Sent
from migrator.core.audit.touched import Operation
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Scope
from migrator.core.python.program import Program


@dataclass(frozen=True, order=True)
class Access:
    """One call that sends SQL, and one table that it names. `function` is the name within its module."""

    file: str
    line: int
    function: str
    table: str
    operation: Operation


def accesses_of(sent: Iterable[Sent]) -> list[Access]:
    """In the order of files and lines."""
    return sorted({access for item in sent for access in _accesses(item)})


def _accesses(sent: Sent) -> Iterator[Access]:
    where = sent.place.file, sent.place.line, sent.place.function
    for table in sent.touched.reads:
        yield Access(*where, table, Operation.READ)
    for table in sent.touched.writes:
        yield Access(*where, table, Operation.WRITE)


class CallGraph:
    """Which functions of the program a function may come to run."""

    def __init__(self, tree: Program, inference: Inference, sent: Iterable[Sent]) -> None:
        self.tree = tree
        self.inference = inference
        self._accesses: dict[Scope, list[Access]] = defaultdict(list)
        for item in sent:
            if item.site is not None:
                self._accesses[item.site.scope.function] += _accesses(item)

    @cached_property
    def calls(self) -> Mapping[Scope, tuple[Scope, ...]]:
        """A lambda's calls are those of the function around it, and so is what FastAPI's Depends() runs."""
        found: dict[Scope, dict[Scope, None]] = defaultdict(dict)
        for scope in self.tree.scopes():
            for call in scope.calls:
                for function in self.inference.functions(call):
                    found[scope.function][function.function] = None
            for function in self._handed_over(scope):
                found[scope.function][function] = None
        return {scope: tuple(called) for scope, called in found.items()}

    def _handed_over(self, scope: Scope) -> Iterator[Scope]:
        """Functions that are given to others, to be run by a dependency, a thread or map()."""
        yield from self.inference.dependencies(scope)
        for call in scope.calls:
            for given in [*call.node.args, *(item.value for item in call.node.keywords)]:
                yield from self.inference.functions_named(given, scope)

    def runs(self, start: Scope) -> list[Scope]:
        """The function and all that it runs itself, without what it only hands over."""
        seen = [start]
        for scope in seen:
            for inner in (scope, *_lambdas(scope)):
                for call in inner.calls:
                    seen += [function for function in self.inference.functions(call) if function not in seen]
        return seen

    def reached_from(self, start: Scope) -> list[Scope]:
        """The function and all that it may come to run, nearest first."""
        seen = [start]
        for scope in seen:
            seen += [called for called in self.calls.get(scope, ()) if called not in seen]
        return seen

    def way(self, start: Scope, end: Scope) -> tuple[str, ...]:
        """The names of the functions from one to the other, on a shortest way."""
        before: dict[Scope, Scope] = {}
        for scope in self.reached_from(start):
            for called in self.calls.get(scope, ()):
                before.setdefault(called, scope)
        names = [end.name]
        while end is not start:
            end = before[end]
            names.append(end.name)
        return tuple(reversed(names))

    def accesses_from(self, start: Scope) -> list[tuple[Access, Scope]]:
        return [(access, scope) for scope in self.reached_from(start) for access in self._accesses[scope]]

    def tables_from(self, start: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is read and written, each sorted."""
        found = [access for access, _ in self.accesses_from(start)]
        reads = {access.table for access in found if access.operation is Operation.READ}
        writes = {access.table for access in found if access.operation is Operation.WRITE}
        return tuple(sorted(reads)), tuple(sorted(writes))


def _lambdas(scope: Scope) -> Iterator[Scope]:
    return (inner for inner in scope.inner if inner.function is scope)
