"""The modules of a program, and which of them an import means."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from migrator.core.python.modules import Binding, Call, How, Module, Scope, last_name

_CHANGES = ("update", "setdefault", "append", "extend", "insert")


class Program:
    """All modules that were read. `above` names the folders around the root: imports may begin with them."""

    def __init__(self, modules: Iterable[Module], above: Sequence[str] = ()) -> None:
        self.modules = tuple(modules)
        self.above = tuple(above)
        self.calls: Mapping[str, list[Call]] = _by_name(self.modules)
        self._packages = {module.name for module in self.modules if module.is_package}
        self._by_tail: dict[str, list[Module]] = defaultdict(list)
        for module in self.modules:
            self._by_tail[_tail(module.name)].append(module)
        self._spread_stars()

    def scopes(self) -> Iterator[Scope]:
        for module in self.modules:
            yield from module.scopes

    @cached_property
    def changed(self) -> frozenset[str]:
        """The last names of dictionaries and lists that some part of the program stores something in."""
        stored = {name for module in self.modules for name in module.changed}
        calls = (call.node.func for name in _CHANGES for call in self.calls.get(name, ()))
        return frozenset(stored | {last_name(node.value) for node in calls if isinstance(node, ast.Attribute)})

    def module_named(self, name: str, importer: Module) -> Module | None:
        """The module that an import of a dotted name means; of several the one nearest to the importer."""
        found = [module for module in self._by_tail.get(_tail(name), ()) if self._may_be(module, name)]
        return max(found, key=lambda module: _nearness(module.path, importer.path), default=None)

    def absolute(self, importer: Module, level: int, name: str | None) -> str:
        """The dotted name that an import with `level` dots means."""
        if level == 0:
            return name or ""
        parts = importer.name.split(".") if importer.name else []
        keep = len(parts) - level + (1 if importer.is_package else 0)
        return ".".join([*parts[: max(keep, 0)], *([name] if name else [])])

    def imported(self, binding: Binding, name: str, scope: Scope) -> tuple[Module | None, str, str]:
        """What `from a import b` binds a name to: the module a if it is the program's, its dotted name, and b."""
        node = binding.node
        assert isinstance(node, ast.ImportFrom)
        dotted = self.absolute(scope.module, node.level, node.module)
        original = next((item.name for item in node.names if name in (item.asname, item.name)), name)
        return self.module_named(dotted, scope.module), dotted, original

    def _spread_stars(self) -> None:
        """`from a import *` binds every public name of a, if a is the program's: also those that a has from others."""
        spread = [(module, binding) for module in self.modules for binding in module.scope.bindings.get("*", ())]
        grown = True
        while grown:
            grown = False
            for module, binding in spread:
                source, _, _ = self.imported(binding, "*", module.scope)
                for name in _public(source) if source and source is not module else ():
                    bindings = module.scope.bindings.setdefault(name, [])
                    if all(known.node is not binding.node for known in bindings):
                        bindings.append(Binding(How.IMPORTED, binding.node))
                        grown = True

    def _may_be(self, module: Module, name: str) -> bool:
        """The path of imports may begin at the root, in a folder of it that is no package, or above it."""
        if module.name == name:
            return True
        if name.partition(".")[0] in sys.stdlib_module_names:
            return False
        if module.name.endswith(f".{name}"):
            return module.name.removesuffix(f".{name}") not in self._packages
        above = name.removesuffix(f".{module.name}")
        return bool(module.name) and above != name and tuple(above.split(".")) == self.above[-above.count(".") - 1 :]


def _public(module: Module) -> list[str]:
    return [name for name in module.scope.bindings if not name.startswith("_") and name != "*"]


def _tail(name: str) -> str:
    return name.rpartition(".")[2]


def _nearness(path: PurePosixPath, other: PurePosixPath) -> tuple[int, int]:
    common = 0
    for mine, theirs in zip(path.parts, other.parts, strict=False):
        if mine != theirs:
            break
        common += 1
    return common, -len(path.parts)


def _by_name(modules: Iterable[Module]) -> Mapping[str, list[Call]]:
    """Calls by the last name of what is called, and by those that it had before it was given this one."""
    calls: dict[str, list[Call]] = defaultdict(list)
    for module in modules:
        earlier = _earlier_names(module)
        for scope in module.scopes:
            for call in scope.calls:
                for name in {call.name: None} | earlier.get(call.name, {}):
                    calls[name].append(call)
    return calls


def _earlier_names(module: Module) -> dict[str, dict[str, None]]:
    """`from a import b as c`, and `c = a.b`."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for scope in module.scopes:
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if isinstance(binding.node, ast.ImportFrom):
                    found[name] |= {alias.name: None for alias in binding.node.names if alias.asname == name}
                elif isinstance(binding.value, ast.Attribute) and binding.how is How.ASSIGNED:
                    found[name][binding.value.attr] = None
    return found
