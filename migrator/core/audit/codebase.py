"""A program with all that the rules ask about it, worked out once."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from migrator.core.audit.accesses import CallGraph
from migrator.core.audit.endpoints import Doors
from migrator.core.audit.sent import Script, Sent, sent_by, sent_in
from migrator.core.audit.touched import HOLE
from migrator.core.python import apis
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Binding, Call, How, Module, Scope
from migrator.core.python.program import Program
from migrator.core.python.sites import Sites
from migrator.core.python.values import External, Made, Managed, Several, Value
from migrator.core.recoding.target import MARK, target_of
from migrator.core.redefining import defines

CONNECTS = ("sqlite3.connect", "aiosqlite.connect")


class Codebase:
    """`connects` are the calls that open a database, `strings(node)` the texts that an expression is made of."""

    def __init__(self, modules: Sequence[Module], above: Sequence[str] = (), scripts: Iterable[Script] = ()) -> None:
        self.tree = Program(modules, above)
        self.scripts = tuple(scripts)
        self.inference = Inference(self.tree)
        self.sites = Sites(self.tree, self.inference)
        self.target = target_of(self.tree.modules)  # of the rewrite that has been here, if there was one
        self.sent = self._sent()
        self.graph = CallGraph(self.tree, self.inference, self.sent)
        self.doors = Doors(self.tree, self.inference)

    def _sent(self) -> tuple[Sent, ...]:
        """All SQL that goes to SQLite, that of calls first; in a rewritten program most of it is PostgreSQL's now."""
        sites = (site for site in self.sites if self.target is None or not site.is_open)
        scripts = (script for script in self.scripts if not script.text.startswith(MARK))
        return (*map(sent_by, sites), *(item for script in scripts for item in sent_in(script)))

    @cached_property
    def connects(self) -> tuple[Call, ...]:
        return tuple(call for call in self.tree.calls.get("connect", ()) if self.calls_external(call, *CONNECTS))

    @cached_property
    def connecting(self) -> frozenset[ast.AST]:
        """The nodes of `connects`."""
        return frozenset(call.node for call in self.connects)

    def calls_external(self, call: Call, *names: str) -> bool:
        """Whether a call may be one of a function outside the program."""
        called = self.inference.called(call.node, call.scope)
        return any(isinstance(value, External) and value.name in names for value in called)

    @cached_property
    def givers(self) -> frozenset[Scope]:
        """Functions that give out a connection, and the classes that keep one."""
        functions = {
            scope
            for scope in self.tree.scopes()
            if scope.is_function and any(gives_connection(value) for value in self.inference.returned(scope))
        }
        keepers = {
            scope
            for scope in self.tree.scopes()
            for targets in scope.attributes.values()
            for _, binding in targets
            if any(gives_connection(value) for value in self.inference.bound(binding, scope))
        }
        return frozenset(functions | keepers)

    def definitions(self) -> list[str]:
        """The CREATE and ALTER TABLE statements that the program executes: tables before what is made of them."""
        found = {
            statement.text: None
            for item in self.sent
            for statement in item.statements
            if defines(statement) and HOLE not in statement.text
        }
        return sorted(found, key=lambda sql: " TABLE " not in sql[:40].upper())

    def line(self, file: str, line: int) -> str:
        """What stands there, without the spaces around it; empty where there is no such line."""
        lines = self._lines.get(file, ())
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        found = {module.path.as_posix(): module.lines for module in self.tree.modules}
        return found | {script.name: script.text.split("\n") for script in self.scripts}

    # -- where an expression comes from --------------------------------------------------------------------------------

    def strings(self, node: ast.AST | None, scope: Scope) -> frozenset[str]:
        """Every literal text that an expression may be made of: through names, attributes and parameters."""
        found: set[str] = set()
        self._collect(node, scope, found, set())
        return frozenset(found)

    def _collect(self, node: ast.AST | None, scope: Scope, found: set[str], seen: set[int]) -> None:
        if node is None or id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.Name):
            self._collect_name(node.id, scope, found, seen)
        elif isinstance(node, ast.Attribute):
            self._collect_attribute(node, scope, found, seen)
        else:
            if isinstance(node, ast.Call):
                found.update(value.name for value in self.inference.called(node, scope) if isinstance(value, External))
                self._collect_returned(node, scope, found, seen)
            for child in ast.iter_child_nodes(node):
                self._collect(child, scope, found, seen)

    def _collect_returned(self, node: ast.Call, scope: Scope, found: set[str], seen: set[int]) -> None:
        for function in self.inference.functions_named(node.func, scope) if _is_named(node.func) else ():
            for value in function.returns:
                self._collect(value, function, found, seen)

    def _collect_name(self, name: str, scope: Scope, found: set[str], seen: set[int]) -> None:
        owner = scope.owner_of(name)
        for binding in owner.bindings[name] if owner else ():
            assert owner is not None
            if binding.how is How.IMPORTED and isinstance(binding.node, ast.ImportFrom):
                self._collect_import(binding, name, owner, found, seen)
            self._collect(binding.value, owner, found, seen)
            if binding.how is How.PARAMETER and isinstance(binding.node, ast.arg):
                for call in self.inference.calls_of(owner):
                    self._collect(self.inference.argument(call, owner, binding.node), call.scope, found, seen)

    def _collect_import(self, binding: Binding, name: str, scope: Scope, found: set[str], seen: set[int]) -> None:
        module, _, original = self.tree.imported(binding, name, scope)
        if module is not None and module is not scope.module:
            self._collect_name(original, module.scope, found, seen)

    def _collect_attribute(self, node: ast.Attribute, scope: Scope, found: set[str], seen: set[int]) -> None:
        for value in self.inference.of(node.value, scope):
            owner = getattr(value, "scope", None) or getattr(getattr(value, "module", None), "scope", None)
            if not isinstance(owner, Scope):
                continue
            if node.attr in owner.bindings:
                self._collect_name(node.attr, owner, found, seen)
            for method in owner.inner if owner.is_class else ():
                for _, binding in method.attributes.get(node.attr, ()):
                    self._collect(binding.value, method, found, seen)
        self._collect(node.value, scope, found, seen)

    # -- scopes --------------------------------------------------------------------------------------------------------

    def importing(self) -> Iterator[Call]:
        """Calls that run when a module is imported."""
        for scope in self.tree.scopes():
            if not scope.is_function:
                yield from (call for call in scope.calls if not any(_is_main(block.statement) for block in call.within))


def gives_connection(value: Value) -> bool:
    """A connection of a library for SQLite, as it is or to be entered or iterated."""
    if isinstance(value, Managed):
        return gives_connection(value.content)
    if isinstance(value, Several):
        return gives_connection(value.element)
    return isinstance(value, Made) and apis.kind_of(value.type) == apis.CONNECTION


def is_handle(value: Value) -> bool:
    """A connection or a cursor."""
    return isinstance(value, Made) and apis.kind_of(value.type) in (apis.CONNECTION, apis.CURSOR)


def _is_named(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _is_main(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Compare)
        and isinstance(statement.test.left, ast.Name)
        and statement.test.left.id == "__name__"
    )
