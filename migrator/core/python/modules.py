"""Python source → its scopes, and what each binds, calls and returns.

Read with the running Python's own parser: it is fast, and it says where everything stands. libcst, which keeps every
space, is for writing alone (core/recoding).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath

MODULE = "<module>"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unreadable(Exception):
    """The file is not Python that this Python can read; the message says why, `line` where, if it is known."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class How(StrEnum):
    """How a name comes to its value."""

    ASSIGNED = "assigned"
    ADDED = "added"  # name += value
    ELEMENT = "element"  # for name in value
    ENTERED = "entered"  # with value as name
    PARAMETER = "parameter"  # value is the default
    IMPORTED = "imported"
    DEFINED = "defined"  # def and class
    OTHER = "other"


@dataclass(frozen=True, eq=False, slots=True)
class Binding:
    """`path` leads into a value that is unpacked: (1,) is the second of two."""

    how: How
    node: ast.AST
    value: ast.expr | None = None
    path: tuple[int, ...] = ()
    within: tuple[Block, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """A compound statement and the part of it that something stands in: body, handlers, orelse, finalbody, case 0 …"""

    statement: ast.stmt | ast.ExceptHandler
    part: str


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """`statement` is the innermost one around it, `within` the blocks from the outermost to the innermost."""

    node: ast.Call
    scope: Scope
    statement: ast.stmt
    within: tuple[Block, ...]

    @property
    def name(self) -> str:
        """What is called, without what stands before it."""
        return last_name(self.node.func)

    @property
    def line(self) -> int:
        return self.node.lineno


@dataclass(eq=False)
class Scope:
    """A module, class, function or lambda. A comprehension's names are those of the scope around it."""

    module: Module
    name: str
    node: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[ast.Attribute, Binding]]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    returns: list[ast.expr] = field(default_factory=list)
    yields: list[ast.expr] = field(default_factory=list)
    inner: list[Scope] = field(default_factory=list)

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, Function | ast.Lambda)

    @property
    def function(self) -> Scope:
        """The one that a reader would name: for a lambda, the function around it."""
        scope = self
        while isinstance(scope.node, ast.Lambda) and scope.parent:
            scope = scope.parent
        return scope

    def owner_of(self, name: str) -> Scope | None:
        """The scope that a name in this one belongs to; None for a builtin. Methods do not see their class's names."""
        scope: Scope | None = self
        while scope is not None and (name not in scope.bindings or (scope.is_class and scope is not self)):
            scope = scope.parent
        return scope

    def parameters(self) -> list[ast.arg]:
        if not isinstance(self.node, Function | ast.Lambda):
            return []
        arguments = self.node.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


@dataclass(eq=False)
class Module:
    """`name` is the dotted path by which it is imported; `path` is the file's, relative to a root.

    `changed` are the last names of what elements are stored in: of `a.b[c] = d` it is b.
    """

    name: str
    path: PurePosixPath
    text: str
    tree: ast.Module
    scopes: list[Scope] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    @property
    def scope(self) -> Scope:
        return self.scopes[0]

    @cached_property
    def lines(self) -> list[str]:
        """As Python counts them: a form feed or a Unicode separator ends no line."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def find(self, name: str) -> Scope | None:
        return next((scope for scope in self.scopes if scope.name == name), None)


def last_name(node: ast.expr) -> str:
    """The name that an expression ends with: of a.b it is b; empty for one that is no name."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def read_module(path: PurePosixPath, text: str, imported_as: PurePosixPath | None = None) -> Module:
    """`imported_as` is the path from where imports begin, if that is not `path` itself. Raises Unreadable."""
    try:
        tree = ast.parse(text)
        module = Module(_dotted(imported_as or path), path, text, tree)
        _Reader(module).read()
    except SyntaxError as error:
        raise Unreadable(f"{error.msg}", error.lineno or 1) from None
    except ValueError as error:
        raise Unreadable(f"{error}") from None
    except (RecursionError, MemoryError):
        raise Unreadable("it is nested too deeply") from None
    return module


def _dotted(path: PurePosixPath) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class _Reader:
    """One walk over the tree. `scope`, `statement` and `within` say where it is."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.scope = self._open(MODULE, module.tree, None)
        self.statement: ast.stmt = ast.Pass()
        self.within: tuple[Block, ...] = ()

    def read(self) -> None:
        self._statements(self.module.tree.body)

    def _open(self, name: str, node: ast.AST, parent: Scope | None) -> Scope:
        scope = Scope(self.module, name, node, parent)
        self.module.scopes.append(scope)
        if parent:
            parent.inner.append(scope)
        return scope

    # -- statements ----------------------------------------------------------------------------------------------------

    def _statements(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.statement = statement
            reader = getattr(self, f"_read_{type(statement).__name__.lower()}", None)
            if reader:
                reader(statement)
            else:
                self._children(statement)

    def _children(self, statement: ast.AST) -> None:
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr):
                self._expression(child)

    def _block(self, statement: ast.stmt | ast.ExceptHandler, part: str) -> None:
        body = getattr(statement, part, None)
        if not body:
            return
        before = self.statement, self.within
        self.within = (*self.within, Block(statement, part))
        self._statements(body)
        self.statement, self.within = before

    def _read_assign(self, node: ast.Assign) -> None:
        self._expression(node.value)
        for target in node.targets:
            self._bind(target, How.ASSIGNED, node.value)

    def _read_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value)
        self._bind(node.target, How.ASSIGNED if node.value is not None else How.OTHER, node.value)

    def _read_augassign(self, node: ast.AugAssign) -> None:
        self._expression(node.value)
        self._bind(node.target, How.ADDED if isinstance(node.op, ast.Add) else How.OTHER, node.value)

    def _read_return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.scope.returns.append(node.value)
            self._expression(node.value)

    def _read_if(self, node: ast.If) -> None:
        self._expression(node.test)
        self._block(node, "body")
        self._block(node, "orelse")

    def _read_while(self, node: ast.While) -> None:
        self._expression(node.test)
        self._block(node, "body")
        self._block(node, "orelse")

    def _read_for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expression(node.iter)
        self._bind(node.target, How.ELEMENT, node.iter)
        self._block(node, "body")
        self._block(node, "orelse")

    _read_asyncfor = _read_for

    def _read_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._expression(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, How.ENTERED, item.context_expr)
        self._block(node, "body")

    _read_asyncwith = _read_with

    def _read_try(self, node: ast.Try) -> None:
        self._block(node, "body")
        before = self.statement, self.within
        for handler in node.handlers:
            self.within = (*before[1], Block(node, "handlers"))
            if handler.type is not None:
                self._expression(handler.type)
            if handler.name:
                self._bound(handler.name, Binding(How.OTHER, handler))
            self._block(handler, "body")
        self.statement, self.within = before
        self._block(node, "orelse")
        self._block(node, "finalbody")

    _read_trystar = _read_try

    def _read_match(self, node: ast.Match) -> None:
        self._expression(node.subject)
        before = self.statement, self.within
        for place, case in enumerate(node.cases):
            self._captured(case.pattern)
            if case.guard is not None:
                self._expression(case.guard)
            self.within = (*before[1], Block(node, f"case {place}"))
            self._statements(case.body)
        self.statement, self.within = before

    def _captured(self, pattern: ast.pattern) -> None:
        for node in ast.walk(pattern):
            name = node.rest if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
            if isinstance(node, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
                self._bound(name, Binding(How.OTHER, node))

    def _read_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bound(alias.asname or alias.name.partition(".")[0], Binding(How.IMPORTED, node))

    def _read_importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._bound(alias.asname or alias.name, Binding(How.IMPORTED, node))

    def _read_global(self, node: ast.Global) -> None:
        for name in node.names:
            # Both lists are one: what a function assigns to a global is the module's.
            self.scope.bindings[name] = self.module.scope.bindings.setdefault(name, [])

    def _read_functiondef(self, node: Function) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        self._bound(node.name, Binding(How.DEFINED, node))
        self._function(node, node.name, node.body)

    _read_asyncfunctiondef = _read_functiondef

    def _read_classdef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            self._expression(part)
        self._bound(node.name, Binding(How.DEFINED, node))
        self._inside(self._open(self._qualified(node.name), node, self.scope), node.body)

    # -- scopes --------------------------------------------------------------------------------------------------------

    def _qualified(self, name: str) -> str:
        return name if self.scope.name == MODULE else f"{self.scope.name}.{name}"

    def _function(self, node: Function | ast.Lambda, name: str, body: list[ast.stmt]) -> None:
        arguments = node.args
        for given in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            self._expression(given)
        scope = self._open(self._qualified(name), node, self.scope)
        for argument, default in _with_defaults(arguments):
            scope.bindings.setdefault(argument.arg, []).append(Binding(How.PARAMETER, argument, default))
        self._inside(scope, body)

    def _inside(self, scope: Scope, body: list[ast.stmt]) -> None:
        before = self.scope, self.statement, self.within
        self.scope, self.within = scope, ()
        self._statements(body)
        self.scope, self.statement, self.within = before

    # -- names ---------------------------------------------------------------------------------------------------------

    def _bound(self, name: str, binding: Binding) -> None:
        self.scope.bindings.setdefault(name, []).append(binding)

    def _bind(self, target: ast.expr, how: How, value: ast.expr | None, path: tuple[int, ...] = ()) -> None:
        binding = Binding(how, target, value, path, self.within)
        if isinstance(target, ast.Name):
            self._bound(target.id, binding)
        elif isinstance(target, ast.Attribute):
            self.scope.attributes.setdefault(target.attr, []).append((target, binding))
            self._expression(target.value)
        elif isinstance(target, ast.Tuple | ast.List):
            for place, element in enumerate(target.elts):
                self._bind(element, how, value, (*path, place))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, How.OTHER, value)
        else:
            if isinstance(target, ast.Subscript):
                self.module.changed.add(last_name(target.value))
            self._expression(target)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Lambda):
            self._lambda(node)
            return
        if isinstance(node, ast.Call):
            self.scope.calls.append(Call(node, self.scope, self.statement, self.within))
        elif isinstance(node, ast.Yield | ast.YieldFrom) and node.value is not None:
            self.scope.yields.append(node.value)
        elif isinstance(node, ast.NamedExpr):
            self._bind(node.target, How.ASSIGNED, node.value)
        elif isinstance(node, ast.comprehension):
            self._bind(node.target, How.ELEMENT, node.iter)
        for child in ast.iter_child_nodes(node):
            self._expression(child)

    def _lambda(self, node: ast.Lambda) -> None:
        before = self.within
        statement = ast.copy_location(ast.Return(node.body), node)
        self._function(node, "<lambda>", [statement])
        self.within = before


def _with_defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    without = len(positional) - len(arguments.defaults)
    for argument in positional[:without]:
        yield argument, None
    yield from zip(positional[without:], arguments.defaults, strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield rest, None
