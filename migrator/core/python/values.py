"""What an expression of a program may be, as far as databases, threads and web frameworks are concerned."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from migrator.core.python.modules import Module, Scope


@dataclass(frozen=True)
class Origin:
    """The call that made a thing."""

    module: Module
    node: ast.Call
    scope: Scope

    @property
    def line(self) -> int:
        return self.node.lineno


@dataclass(frozen=True)
class External:
    """What stands under a dotted name outside the program: sqlite3.connect, flask.g."""

    name: str


@dataclass(frozen=True)
class Made:
    """An instance of an external class, such as sqlite3.Connection, and the call that made it if that is known."""

    type: str
    origin: Origin | None = None


@dataclass(frozen=True)
class Method:
    """A method of an external instance, not yet called."""

    of: Made
    name: str


@dataclass(frozen=True)
class Program:
    """A function or class of the program."""

    scope: Scope


@dataclass(frozen=True)
class Bound:
    """A method of the program with the instance or class before it; `of` is its class, which may inherit the method."""

    scope: Scope
    of: Scope | None = None


@dataclass(frozen=True)
class Instance:
    """Of a class of the program."""

    scope: Scope


@dataclass(frozen=True)
class Callee:
    """A function that is run, the class of its instance where that is known, and what its route runs before it."""

    function: Scope
    of: Scope | None = None
    before: tuple[Scope, ...] = ()


@dataclass(frozen=True)
class Package:
    """A module of the program."""

    module: Module


@dataclass(frozen=True)
class Several:
    """Something that gives these when it is iterated over."""

    element: Value


@dataclass(frozen=True)
class Managed:
    """A context manager that gives this when it is entered."""

    content: Value


Value = External | Made | Method | Program | Bound | Instance | Package | Several | Managed
Values = frozenset[Value]
NOTHING: Values = frozenset()


def several(element: Value) -> Several:
    """Lists of lists of lists are lists of lists: recursion would make ever deeper ones."""
    return element if isinstance(element, Several) and isinstance(element.element, Several) else Several(element)
