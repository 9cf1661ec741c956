"""The imports of a rewritten file: the drivers that it uses now, in the place of those that it used before."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from migrator.core.recoding.target import SUPPORT, TARGETS

_OLD = ("sqlite3", "aiosqlite", "pysqlite3")
_NEW = (*(target.module for target in TARGETS.values()), SUPPORT)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def with_imports(source: str, package: str = "") -> str:
    """What is used and not imported is imported; what was imported of the old drivers and is not used any more goes.

    `package` is the one that the module beside the program lies in, if it lies in one.

    Raises SyntaxError where the source is no Python.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)} | _in_annotations(nodes)
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    bound = {alias.asname or alias.name for node in imports for alias in node.names}
    wanted = [_import(name, package) for name in _NEW if name in names and name not in bound]
    lines = split_lines(source)
    old = sorted({(node.lineno, node.end_lineno or node.lineno) for node in imports if _is_old(node)})
    found = [segment for first, last in old if (segment := _Segment.read(lines, first, last, names)) is not None]
    alone = _alone(nodes)
    for segment in reversed(found):
        new = wanted if segment is found[0] else []
        lines[segment.first - 1 : segment.last] = segment.written(new, is_alone=segment.first in alone)
    if wanted and not found:
        place = _place(tree)
        end = _end_of(lines)
        lines[place:place] = [f"{line}{end}" for line in wanted]
    return "".join(lines)


def split_lines(source: str) -> list[str]:
    """With their ends, as Python counts them: a form feed ends none."""
    return _LINE.findall(source)


def _import(name: str, package: str) -> str:
    return f"from {package} import {name}" if package and name == SUPPORT else f"import {name}"


def _in_annotations(nodes: Sequence[ast.AST]) -> set[str]:
    """Drivers that a text names: as in `def f(db: "sqlite3.Connection")`."""
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {name for name in _OLD for text in texts if re.search(rf"\b{name}\.[A-Z]\w+", text)}


@dataclass(frozen=True)
class _Segment:
    """The lines of an import of an old driver; `left` is what of them stays, without the indentation."""

    first: int
    last: int
    indentation: str
    left: str
    comment: str  # behind what goes as a whole
    end: str

    @classmethod
    def read(cls, lines: Sequence[str], first: int, last: int, used: set[str]) -> _Segment | None:
        """None where something else stands in the same lines that cannot be read without others."""
        text = "".join(lines[first - 1 : last])
        bare = text.lstrip(" \t\f")
        try:
            statement = cst.parse_statement(bare)
        except cst.ParserSyntaxError:
            return None
        if not isinstance(statement, cst.SimpleStatementLine):
            return None
        kept = [item for small in statement.body if (item := _left(small, used)) is not None]
        left = cst.Module([statement.with_changes(body=kept)]).code if kept else ""
        behind = statement.trailing_whitespace.comment
        comment = f"  {behind.value}" if behind is not None and not kept else ""
        return cls(first, last, text[: len(text) - len(bare)], left, comment, _end_of([text]))

    def written(self, wanted: Sequence[str], *, is_alone: bool) -> list[str]:
        """is_alone: nothing else stands in the block, which must not become empty."""
        texts = [self.left] if self.left else []
        texts += [f"{line}{'' if place else self.comment}{self.end}" for place, line in enumerate(wanted)]
        if not texts and is_alone:
            texts.append(f"pass{self.end}")
        return [self.indentation + text for text in texts]


def _left(item: cst.BaseSmallStatement, used: set[str]) -> cst.BaseSmallStatement | None:
    """What of an import is still used; any other statement as it is."""
    if not isinstance(item, cst.Import | cst.ImportFrom) or isinstance(item.names, cst.ImportStar):
        return item
    if isinstance(item, cst.ImportFrom) and (item.relative or item.module is None or _root(item.module) not in _OLD):
        return item
    aliases = [alias for alias in item.names if _is_used(alias, item, used)]
    if not aliases:
        return None
    aliases[-1] = aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return item.with_changes(names=aliases)


def _is_used(alias: cst.ImportAlias, item: cst.Import | cst.ImportFrom, used: set[str]) -> bool:
    is_old = isinstance(item, cst.ImportFrom) or _root(alias.name) in _OLD
    bound = alias.evaluated_alias or alias.evaluated_name.partition(".")[0]
    return bound in used or not is_old


def _is_old(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").partition(".")[0] in _OLD
    return any(alias.name.partition(".")[0] in _OLD for alias in node.names)


def _root(name: cst.BaseExpression) -> str:
    while isinstance(name, cst.Attribute):
        name = name.value
    return name.value if isinstance(name, cst.Name) else ""


def _alone(nodes: Sequence[ast.AST]) -> set[int]:
    """The lines of statements that are the only one of their block."""
    return {block[0].lineno for node in nodes for block in _blocks(node) if len(block) == 1}


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and not isinstance(node, ast.Module):
            yield block


def _place(tree: ast.Module) -> int:
    """How many lines stand before what is imported: a docstring, and the imports that stand first."""
    line, first = 0, tree.body[:1]
    for at, statement in enumerate(tree.body):
        is_docstring = at == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_docstring and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        line = statement.end_lineno or statement.lineno
    decorated = (getattr(item, "decorator_list", None) or [item] for item in first)
    return line or next((items[0].lineno - 1 for items in decorated), 0)


def _end_of(lines: Sequence[str]) -> str:
    """How the first line ends."""
    ending = re.search(r"[\r\n]+$", lines[0]) if lines else None
    return ending[0] if ending else "\n"
