"""The changes of a file, carried out on its concrete syntax: every space and comment that is not concerned stays."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from migrator.core.recoding.blocks import Block, blocks
from migrator.core.recoding.edits import (
    Argued,
    Asked,
    CalledOn,
    Edit,
    Keyed,
    Named,
    Range,
    Removed,
    Replaced,
    Respelled,
    Unawaited,
)
from migrator.core.recoding.imports import split_lines, with_imports
from migrator.core.recoding.spelling import respelled

# What ast and libcst call the same thing.
_KINDS: Mapping[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Call: ("Call",),
    cst.Attribute: ("Attribute",),
    cst.Name: ("Name", "Constant"),
    cst.Subscript: ("Subscript",),
    cst.SimpleString: ("Constant",),
    cst.ConcatenatedString: ("Constant", "JoinedStr"),
    cst.FormattedString: ("JoinedStr",),
    cst.Tuple: ("Tuple",),
    cst.List: ("List",),
    cst.Dict: ("Dict",),
    cst.BinaryOperation: ("BinOp",),
    cst.Comparison: ("Compare",),
    cst.UnaryOperation: ("UnaryOp",),
    cst.Integer: ("Constant",),
    cst.StarredElement: ("Starred",),
    cst.Lambda: ("Lambda",),
    cst.ListComp: ("ListComp",),
    cst.GeneratorExp: ("GeneratorExp",),
    cst.IfExp: ("IfExp",),
    cst.BooleanOperation: ("BoolOp",),
    cst.Await: ("Await",),
    cst.Expr: ("Expr",),
    cst.Assign: ("Assign",),
}


_AROUND = "if True:\n"  # what stands alone may be indented in it


class NotFound(Exception):
    """A place that was to be changed is not in the source: the change is not made."""


def written(source: str, edits: Mapping[tuple[Range, str], Sequence[Edit]], package: str = "") -> str:
    """The source with the changes, and the imports that they need.

    Raises NotFound, SyntaxError, and libcst.ParserSyntaxError.
    """
    lines, places = split_lines(source), [place for place, _ in edits]
    gone = [place for (place, _), made in edits.items() if any(isinstance(edit, Removed) for edit in made)]
    missed = set(edits)
    found = sorted(blocks(ast.parse(source), lines, places, gone), key=lambda block: block.first)
    firsts = [block.first for block in found]
    inside: list[dict[tuple[Range, str], Sequence[Edit]]] = [{} for _ in found]
    for key, made in edits.items():
        inside[bisect_right(firsts, key[0].line) - 1][key] = made
    for block, here in reversed([*zip(found, inside, strict=True)]):
        old = lines[block.first - 1 : block.last]
        new, done = _rewritten([_AROUND, *old] if block.is_indented else old, block, here)
        end = "\r" if old[-1].endswith("\r") else ""  # libcst forgets it at the end of a text
        lines[block.first - 1 : block.last] = [new.removeprefix(_AROUND) + end]
        missed -= done
    if missed:
        raise NotFound(", ".join(f"line {place.line} ({kind})" for place, kind in sorted(missed, key=str)))
    return with_imports("".join(lines), package)


def _rewritten(
    lines: Sequence[str], block: Block, edits: Mapping[tuple[Range, str], Sequence[Edit]]
) -> tuple[str, set[tuple[Range, str]]]:
    """The lines with the changes, and those that were found in them."""
    up = block.first - 1 - block.is_indented
    moved = {(place.moved_up(up), kind): (place, kind) for place, kind in edits}
    writer = _Writer({key: edits[original] for key, original in moved.items()})
    module = MetadataWrapper(cst.parse_module("".join(lines)), unsafe_skip_copy=True).visit(writer)
    return module.code, {moved[key] for key in writer.done}


class _Writer(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, edits: Mapping[tuple[Range, str], Sequence[Edit]]) -> None:
        super().__init__()
        self.edits = edits
        self.done: set[tuple[Range, str]] = set()
        self.lines = sorted(place.line for place, _ in edits)

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Statements in which nothing changes are not looked into."""
        if not isinstance(node, cst.BaseStatement):
            return True
        found = self.get_metadata(PositionProvider, node)
        assert isinstance(found, CodeRange)
        # The place of a function or class begins behind its decorators, of which one may follow another.
        decorators = getattr(node, "decorators", ())
        above = [self.get_metadata(PositionProvider, item) for item in decorators]
        starts = [place.start.line for place in (found, *above)]
        first = bisect_left(self.lines, min(starts))
        return first < len(self.lines) and self.lines[first] <= found.end.line

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        updated = super().on_leave(original_node, updated_node)
        kinds = _KINDS.get(type(original_node))
        if kinds is None or not isinstance(updated, cst.CSTNode):
            return updated
        place = self._place(original_node)
        for kind in kinds:
            for edit in self.edits.get((place, kind), ()):
                self.done.add((place, kind))
                if isinstance(edit, Removed):
                    return cst.RemoveFromParent()
                updated = _changed(updated, edit)
        return updated

    def _place(self, node: cst.CSTNode) -> Range:
        """As ast sees it: a tuple and a generator begin with their own parenthesis."""
        found = self.get_metadata(PositionProvider, node)
        assert isinstance(found, CodeRange)
        start, end = found.start, found.end
        if isinstance(node, cst.Tuple | cst.GeneratorExp) and node.lpar:
            first = self.get_metadata(PositionProvider, node.lpar[-1])
            last = self.get_metadata(PositionProvider, node.rpar[0])
            assert isinstance(first, CodeRange)
            assert isinstance(last, CodeRange)
            start, end = first.start, last.end
        return Range(start.line, start.column, end.line, end.column)


def _changed(node: cst.CSTNode, edit: Edit) -> cst.CSTNode:
    if isinstance(edit, Respelled):
        assert isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
        return respelled(node, edit)
    if isinstance(edit, Replaced):
        return _replaced(node, edit.source)
    if isinstance(edit, Asked):
        assert isinstance(node, cst.Attribute)
        return cst.parse_expression(edit.source.replace("{}", cst.Module([]).code_for_node(node.value)))
    if isinstance(edit, Named):
        assert isinstance(node, cst.Expr)
        return cst.Assign([cst.AssignTarget(cst.Name(edit.name))], node.value, semicolon=node.semicolon)
    if isinstance(edit, Keyed):
        return _keyed(node, edit.keys)
    if isinstance(edit, Unawaited):
        assert isinstance(node, cst.Await)
        return node.expression.with_changes(
            lpar=[*node.lpar, *node.expression.lpar], rpar=[*node.expression.rpar, *node.rpar]
        )
    assert isinstance(node, cst.Call)
    if isinstance(edit, Argued):
        return node.with_changes(args=[*node.args, cst.Arg(cst.parse_expression(edit.source))])
    assert isinstance(edit, CalledOn)
    return _called_on(node, edit.function)


def _replaced(node: cst.CSTNode, source: str) -> cst.CSTNode:
    if isinstance(node, cst.StarredElement):
        return cst.Element(_replaced(node.value, source), comma=node.comma)  # type: ignore[arg-type]
    assert isinstance(node, cst.BaseExpression)
    bare = node.with_changes(lpar=[], rpar=[]) if not isinstance(node, cst.Tuple) else node
    code = cst.Module([]).code_for_node(bare)
    new = cst.parse_expression(source.replace("{}", code))
    return (
        new.with_changes(lpar=[*node.lpar, *new.lpar], rpar=[*new.rpar, *node.rpar])
        if not isinstance(node, cst.Tuple)
        else new
    )


def _called_on(node: cst.Call, function: str) -> cst.Call:
    assert isinstance(node.func, cst.Attribute)
    of = node.func.value
    new = cst.parse_expression(function)
    assert isinstance(new, cst.Attribute)
    first = cst.Arg(
        of, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")) if node.args else cst.MaybeSentinel.DEFAULT
    )
    return node.with_changes(func=new, args=[first, *node.args])


def _keyed(node: cst.CSTNode, keys: Sequence[str]) -> cst.CSTNode:
    if isinstance(node, cst.Dict):
        values = {
            element.key.evaluated_value: element.value
            for element in node.elements
            if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
        }
        return cst.Tuple([cst.Element(values[key]) for key in keys])
    assert isinstance(node, cst.Tuple | cst.List)
    elements = [
        cst.DictElement(cst.SimpleString(f'"{key}"'), element.value, comma=element.comma)
        for key, element in zip(keys, node.elements, strict=True)
    ]
    opened, closed = _inside(node)
    if "\n" not in cst.Module([]).code_for_node(node) and elements:
        elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)  # that of a tuple of one
    return cst.Dict(elements, cst.LeftCurlyBrace(opened), cst.RightCurlyBrace(closed))


def _inside(node: cst.Tuple | cst.List) -> tuple[cst.BaseParenthesizableWhitespace, cst.BaseParenthesizableWhitespace]:
    """What stands behind the opening bracket and before the closing one."""
    if isinstance(node, cst.List):
        return node.lbracket.whitespace_after, node.rbracket.whitespace_before
    if not node.lpar:
        return cst.SimpleWhitespace(""), cst.SimpleWhitespace("")
    return node.lpar[-1].whitespace_after, node.rpar[0].whitespace_before
