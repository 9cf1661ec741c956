"""Who reads and writes which table, and through which functions a request or a job comes to it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrator.core.audit.sent import Sent, statements_of
from migrator.core.audit.touched import HOLE, Operation, Touched, touched_by_statements
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Scope
from migrator.core.python.program import Program
from migrator.core.python.texts import Reader
from migrator.core.python.values import Callee

UNKNOWN = "(unknown)"  # a table that is only decided while the program runs


@dataclass(frozen=True, order=True)
class Access:
    """One call that sends SQL, and one table that it names, or UNKNOWN. `function` is the name within its module."""

    file: str
    line: int
    function: str
    table: str
    operation: Operation


def accesses_of(sent: Iterable[Sent]) -> list[Access]:
    """In the order of files and lines."""
    return sorted({access for item in sent for access in _accesses(item, item.touched)})


def _accesses(sent: Sent, touched: Touched) -> Iterator[Access]:
    where = sent.place.file, sent.place.line, sent.place.function
    for table in touched.reads:
        yield Access(*where, _shown(table), Operation.READ)
    for table in touched.writes:
        yield Access(*where, _shown(table), Operation.WRITE)
    if touched.unknown:
        yield Access(*where, UNKNOWN, Operation.UNKNOWN)


def _shown(table: str) -> str:
    return UNKNOWN if table == HOLE else table.replace(HOLE, "…")


class CallGraph:
    """Which functions of the program a function may come to run."""

    def __init__(self, tree: Program, inference: Inference, sent: Iterable[Sent]) -> None:
        self.tree = tree
        self.inference = inference
        self._sent: dict[Scope, list[Sent]] = defaultdict(list)
        self._calls: dict[Callee, tuple[Callee, ...]] = {}
        for item in sent:
            if item.site is not None:
                self._sent[item.site.scope].append(item)

    def calls(self, start: Callee) -> tuple[Callee, ...]:
        """A lambda's calls are also those of the function around it, and so is what FastAPI's Depends() runs."""
        if start not in self._calls:
            self._calls[start] = tuple(dict.fromkeys(self._called(start)))
        return self._calls[start]

    def _called(self, start: Callee) -> Iterator[Callee]:
        yield from map(Callee, start.before)
        for scope in _with_lambdas(start.function):
            for call in scope.calls:
                yield from self.inference.classes.called(call, start.of)
            yield from map(Callee, self.inference.dependencies(scope))
            yield from self._handed_over(scope, start.of)

    def _handed_over(self, scope: Scope, of: Scope | None) -> Iterator[Callee]:
        """Functions that are given to others, to be run by a dependency, a thread or map()."""
        for call in scope.calls:
            for given in [*call.node.args, *(item.value for item in call.node.keywords)]:
                if not isinstance(given, ast.Lambda):
                    yield from self.inference.classes.named(given, scope, of)

    def runs(self, start: Scope) -> list[Scope]:
        """The function and all that it runs itself, without what it only hands over."""
        seen = [start]
        for scope in seen:
            for inner in _with_lambdas(scope):
                for call in inner.calls:
                    seen += [function for function in self.inference.functions(call) if function not in seen]
        return seen

    def reached_from(self, start: Callee) -> list[Callee]:
        """The function and all that it may come to run, nearest first."""
        seen, found = {start}, [start]
        for callee in found:
            new = [called for called in self.calls(callee) if called not in seen]
            seen.update(new)
            found += new
        return found

    def way(self, start: Callee, end: Callee) -> tuple[str, ...]:
        """The names of the functions from one to the other, on a shortest way."""
        before: dict[Callee, Callee] = {}
        for callee in self.reached_from(start):
            for called in self.calls(callee):
                before.setdefault(called, callee)
        names = [end.function.name]
        while end != start:
            end = before[end]
            names.append(end.function.name)
        return tuple(reversed(names))

    def accesses_from(self, start: Callee) -> list[tuple[Access, Callee]]:
        return [(access, callee) for callee in self.reached_from(start) for access in self._accesses(callee)]

    def _accesses(self, callee: Callee) -> Iterator[Access]:
        for scope in _with_lambdas(callee.function):
            for item in self._sent[scope]:
                yield from _accesses(item, self._touched(item, callee.of))

    def _touched(self, item: Sent, of: Scope | None) -> Touched:
        """By an instance of that class: its constants may name other tables than those of its relatives."""
        site = item.site
        if site is None or of is None or (len(site.texts) == 1 and not site.texts[0].holes):
            return item.touched
        return touched_by_statements(statements_of(Reader(self.inference, of).of(site.sql, site.scope)))

    def tables_from(self, start: Callee) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is read and written, each sorted."""
        found = [access for access, _ in self.accesses_from(start)]
        reads = {access.table for access in found if access.operation is Operation.READ}
        writes = {access.table for access in found if access.operation is Operation.WRITE}
        return tuple(sorted(reads)), tuple(sorted(writes))


def _with_lambdas(scope: Scope) -> Iterator[Scope]:
    """The function, and the lambdas that stand in it."""
    yield scope
    for inner in scope.inner:
        if isinstance(inner.node, ast.Lambda):
            yield from _with_lambdas(inner)
