"""The modules of a program, and which of them an import means."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from migrator.core.python.modules import Binding, Call, Module, Scope


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

    def scopes(self) -> Iterator[Scope]:
        for module in self.modules:
            yield from module.scopes

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
        original = next(item.name for item in node.names if name in (item.asname, item.name))
        return self.module_named(dotted, scope.module), dotted, original

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
    """Calls by the last name of what is called, or by the one that it had before an import renamed it."""
    calls: dict[str, list[Call]] = defaultdict(list)
    for module in modules:
        renamed = _renamed(module)
        for scope in module.scopes:
            for call in scope.calls:
                calls[renamed.get(call.name, call.name)].append(call)
    return calls


def _renamed(module: Module) -> dict[str, str]:
    return {
        alias.asname: alias.name
        for scope in module.scopes
        for bindings in scope.bindings.values()
        for binding in bindings
        if isinstance(binding.node, ast.ImportFrom)
        for alias in binding.node.names
        if alias.asname
    }
