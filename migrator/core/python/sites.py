"""Where a program sends SQL: calls of a connection or cursor, and of the program's own functions that pass SQL on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.core.python import apis
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Call, Scope
from migrator.core.python.program import Program
from migrator.core.python.texts import Reader, Texts
from migrator.core.python.values import Made, Method

_METHODS = {"execute", "executemany", "executescript", "execute_fetchall", "execute_insert"}
_KEEPS = ("str", "text", "tuple", "list", "dict")
_HANDS_OVER = {"run_in_executor": 1, "to_thread": 0, "submit": 0}  # and the place of what is to be called
_LOOKS_LIKE_SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|CREATE\s|PRAGMA\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Sink:
    """A function of the program that sends the SQL it is given; `arguments` is the parameter for the values.

    `fills` says that the driver gets some, be they empty, where the parameter is None: `execute(sql, values or ())`.
    """

    function: Scope
    sql: ast.arg
    arguments: ast.arg | None
    method: str  # of the connection or cursor, in the end
    fills: bool = False


@dataclass(frozen=True, eq=False)
class Site:
    """One call that is given SQL.

    `of` is the connection or cursor where it is known, `sink` the function of the program that passes the SQL on.
    """

    call: Call
    method: str
    sql: ast.expr
    arguments: ast.expr | None
    texts: Texts
    of: tuple[Made, ...] = ()
    sink: Sink | None = None

    @property
    def scope(self) -> Scope:
        return self.call.scope

    @property
    def is_open(self) -> bool:
        """Whether nothing is known of what the SQL is sent to: it may be any database's."""
        return not self.of and self.sink is None


class Sites:
    """All of a program's, found when it is made.

    `relays` are the calls in which its functions pass on SQL that they are given, without a text of their own.
    """

    def __init__(self, tree: Program, inference: Inference) -> None:
        self.tree = tree
        self.inference = inference
        self.reader = Reader(inference)
        self.sinks: dict[Scope, Sink] = {}
        self.found: dict[ast.Call, Site] = {}
        self.relays: list[Site] = []
        for method in sorted(_METHODS):
            for call in tree.calls.get(method, ()):
                self._direct(call)
        for method, place in _HANDS_OVER.items():
            for call in tree.calls.get(method, ()):
                self._handed_over(call, call.node.args[place:])
        self._through_functions()

    def __iter__(self) -> Iterator[Site]:
        return iter(self.found.values())

    # -- calls of a connection or cursor -------------------------------------------------------------------------------

    def _direct(self, call: Call) -> None:
        if not call.node.args:
            return
        called = self.inference.called(call.node, call.scope)
        methods = [value for value in called if isinstance(value, Method) and apis.kind_of(value.of.type)]
        sql = call.node.args[0]
        if not methods and (called or not self._is_surely_sql(call, sql)):
            return
        arguments = call.node.args[1] if len(call.node.args) > 1 else keyword(call.node, "parameters")
        method = methods[0].name if methods else call.name
        if method in _METHODS:
            self._add(Site(call, method, sql, arguments, (), tuple(value.of for value in methods)))

    def _handed_over(self, call: Call, given: Sequence[ast.expr]) -> None:
        """`to_thread(conn.execute, sql, values)`: the call is another thread's."""
        if len(given) < 2:
            return
        called = self.inference.of(given[0], call.scope)
        methods = [value for value in called if isinstance(value, Method) and value.name in _METHODS]
        of = tuple(value.of for value in methods if apis.kind_of(value.of.type))
        if of:
            self._add(Site(call, methods[0].name, given[1], given[2] if len(given) > 2 else None, (), of))

    def _is_surely_sql(self, call: Call, sql: ast.expr) -> bool:
        if not isinstance(call.node.func, ast.Attribute):
            return False
        return any(_LOOKS_LIKE_SQL.match(text.filled("x")) for text in self.reader.of(sql, call.scope))

    def _add(self, site: Site) -> None:
        """A site, or, where the SQL is a parameter of the function around it, a sink."""
        passed = self._passed_on(site.sql, site.scope)
        if passed is None:
            texts = self.reader.of(site.sql, site.scope)
            found = Site(site.call, site.method, site.sql, site.arguments, texts, site.of, site.sink)
            self.found.setdefault(site.call.node, found)
            return
        if site.sink is None:
            self.relays.append(site)
        if site.scope not in self.sinks:
            values = self._passed_on(site.arguments, site.scope) if site.arguments is not None else None
            further = site.sink is not None and site.sink.fills
            fills = values is not None and (further or _is_filled(site.arguments, values, site.scope))
            self.sinks[site.scope] = Sink(site.scope, passed, values, site.method, fills)

    def _passed_on(self, node: ast.expr | None, scope: Scope) -> ast.arg | None:
        """The parameter that an expression is, with or without a value in place of None."""
        if isinstance(node, ast.BoolOp):
            node = node.values[0]
        if isinstance(node, ast.IfExp):
            node = node.body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KEEPS and node.args:
            node = node.args[0]
        if not isinstance(node, ast.Name):
            return None
        return next((item for item in _all_parameters(scope) if item.arg == node.id), None)

    # -- calls of functions that pass SQL on ---------------------------------------------------------------------------

    def _through_functions(self) -> None:
        done: set[Scope] = set()
        while len(done) < len(self.sinks):
            for function, sink in list(self.sinks.items()):
                if function not in done:
                    done.add(function)
                    for call in self.inference.calls_of(function):
                        self._call_of(sink, call)

    def _call_of(self, sink: Sink, call: Call) -> None:
        sql = self.inference.argument(call, sink.function, sink.sql)
        if sql is None:
            return
        arguments = self._values(sink, call)
        self._add(Site(call, sink.method, sql, arguments, (), sink=sink))

    def _values(self, sink: Sink, call: Call) -> ast.expr | None:
        if sink.arguments is None:
            return None
        variadic = getattr(sink.function.node, "args", None)
        if variadic is not None and variadic.vararg is sink.arguments:
            first = self.inference.place(call, sink.function, len(sink.function.parameters()))
            given = call.node.args[first:] if first is not None else []
            return ast.Tuple([*given], ast.Load()) if given else None
        return self.inference.argument(call, sink.function, sink.arguments)


def _all_parameters(scope: Scope) -> Sequence[ast.arg]:
    variadic = getattr(scope.node, "args", None)
    rest = [item for item in (variadic.vararg, variadic.kwarg) if item] if variadic is not None else []
    return [*scope.parameters(), *rest]


def looks_like_sql(text: str) -> bool:
    """Whether a text can hardly be anything else."""
    return _LOOKS_LIKE_SQL.match(text) is not None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """What a call gives under that name."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def _is_filled(node: ast.expr | None, parameter: ast.arg, scope: Scope) -> bool:
    """Whether something else is put in the place of a parameter that is None."""
    if isinstance(node, ast.Call):
        return True  # list(values) is never None
    if isinstance(node, ast.BoolOp | ast.IfExp):
        return not is_none(node.values[-1] if isinstance(node, ast.BoolOp) else node.orelse)
    later = scope.bindings.get(parameter.arg, ())[1:]
    return any(binding.value is not None and not is_none(binding.value) for binding in later)


def is_none(node: ast.expr | None) -> bool:
    """Whether it is None as it is written."""
    return isinstance(node, ast.Constant) and node.value is None
