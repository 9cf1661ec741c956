"""The imports of a rewritten file: the drivers that it uses now, in the place of those that it used before."""

from __future__ import annotations

import ast

import libcst as cst

from migrator.core.recoding.target import SUPPORT, TARGETS

_OLD = ("sqlite3", "aiosqlite", "pysqlite3")
_NEW = (*(target.module for target in TARGETS.values()), SUPPORT)


def with_imports(module: cst.Module) -> str:
    """What is used and not imported is imported; what was imported of the old drivers and is not used any more goes.

    Raises SyntaxError where the source is no Python.
    """
    source = module.code
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    aliases = (alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names)
    bound = {alias.asname or alias.name for alias in aliases}
    wanted = [name for name in _NEW if name in names and name not in bound]
    if not wanted and not any(name in source for name in _OLD):
        return source
    changed = module.visit(_Imports(names, wanted))
    assert isinstance(changed, cst.Module)
    return _with(changed, wanted).code if wanted and not _has(changed, wanted[0]) else changed.code


class _Imports(cst.CSTTransformer):
    """Takes out unused imports of the old drivers; the first place gets the new ones."""

    def __init__(self, used: set[str], wanted: list[str]) -> None:
        super().__init__()
        self.used = used
        self.wanted = wanted
        self.placed = False

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:  # noqa: N802 - libcst's name
        return False  # nothing in a line is a line

    def leave_SimpleStatementLine(  # noqa: N802 - libcst's name
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine] | cst.RemovalSentinel:
        if not any(_is_old(item) for item in updated_node.body):
            return updated_node
        kept = [left for item in updated_node.body if (left := self._left(item)) is not None]
        lines = [updated_node.with_changes(body=kept)] if kept else []
        for name in self.wanted:
            leading = [] if lines else updated_node.leading_lines
            lines.append(cst.SimpleStatementLine([_import(name)], leading_lines=leading))
        return cst.FlattenSentinel(lines) if lines else cst.RemoveFromParent()

    def _left(self, item: cst.BaseSmallStatement) -> cst.BaseSmallStatement | None:
        """What of an import is still used."""
        if not _is_old(item):
            return item
        assert isinstance(item, cst.Import | cst.ImportFrom)
        if isinstance(item.names, cst.ImportStar):
            return item
        aliases = [alias for alias in item.names if self._is_used(alias, item)]
        if not aliases:
            return None
        aliases[-1] = aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return item.with_changes(names=aliases)

    def _is_used(self, alias: cst.ImportAlias, item: cst.Import | cst.ImportFrom) -> bool:
        is_old = isinstance(item, cst.ImportFrom) or _root(alias.name) in _OLD
        bound = alias.evaluated_alias or alias.evaluated_name.partition(".")[0]
        return bound in self.used or not is_old


def _is_old(item: cst.BaseSmallStatement) -> bool:
    if isinstance(item, cst.ImportFrom):
        return item.module is not None and not item.relative and _root(item.module) in _OLD
    return isinstance(item, cst.Import) and any(_root(alias.name) in _OLD for alias in item.names)


def _root(name: cst.BaseExpression) -> str:
    while isinstance(name, cst.Attribute):
        name = name.value
    return name.value if isinstance(name, cst.Name) else ""


def _import(name: str) -> cst.Import:
    return cst.Import([cst.ImportAlias(cst.Name(name))])


def _has(module: cst.Module, name: str) -> bool:
    return f"import {name}\n" in module.code


def _with(module: cst.Module, wanted: list[str]) -> cst.Module:
    """Behind the docstring and the imports of __future__ and others that stand first."""
    place = 0
    for at, statement in enumerate(module.body):
        if isinstance(statement, cst.SimpleStatementLine) and all(
            isinstance(item, cst.Import | cst.ImportFrom)
            or (at == 0 and isinstance(item, cst.Expr) and isinstance(item.value, cst.SimpleString))
            for item in statement.body
        ):
            place = at + 1
        else:
            break
    new = [cst.SimpleStatementLine([_import(name)]) for name in wanted]
    return module.with_changes(body=[*module.body[:place], *new, *module.body[place:]])
