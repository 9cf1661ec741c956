"""What annotations say of values: the class that they name, through Optional, Union, Annotated, quotes and aliases."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrator.core.python.kept import Kept
from migrator.core.python.modules import Scope
from migrator.core.python.values import NOTHING, External, Instance, Made, Program, Several, Values

if TYPE_CHECKING:
    from migrator.core.python.inference import Inference

_ITERATED = {"Iterator", "Generator", "Iterable", "AsyncIterator", "AsyncGenerator", "list", "List", "Sequence"}


class Annotations:
    """`of(annotation, scope)` gives an instance of each class that is named; several of them for an iterator."""

    def __init__(self, inference: Inference, once: Kept) -> None:
        self.inference = inference
        self.once = once
        self._parsed: dict[str, ast.expr | None] = {}

    def of(self, annotation: ast.AST | None, scope: Scope) -> Values:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = self._unquoted(annotation.value)
        if not isinstance(annotation, ast.expr):
            return NOTHING
        node = annotation
        return self.once(("annotated", node, scope), lambda: self._of(node, scope))

    def _unquoted(self, text: str) -> ast.expr | None:
        if text not in self._parsed:
            try:
                self._parsed[text] = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._parsed[text] = None
        return self._parsed[text]

    def _of(self, node: ast.expr, scope: Scope) -> Values:
        if isinstance(node, ast.BinOp):
            return self.of(node.left, scope) | self.of(node.right, scope)
        if isinstance(node, ast.Subscript):
            return self._of_generic(node, scope)
        alias = self.inference.constant(node, scope)
        if alias is not None and isinstance(alias[0], ast.Subscript | ast.BinOp):
            return self.of(*alias)
        return frozenset(
            Instance(value.scope) if isinstance(value, Program) else Made(value.name)
            for value in self.inference.of(node, scope)
            if (isinstance(value, Program) and value.scope.is_class)
            or (isinstance(value, External) and "." in value.name)
        )

    def _of_generic(self, node: ast.Subscript, scope: Scope) -> Values:
        values = self.inference.of(node.value, scope)
        generic = {value.name.rpartition(".")[2] for value in values if isinstance(value, External)}
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if "Annotated" in generic:
            given = (value for extra in inner[1:] for value in self.inference.of(extra, scope))
            return self.of(inner[0], scope) | frozenset(given)
        if "Union" in generic:
            return frozenset(value for item in inner for value in self.of(item, scope))
        if generic & _ITERATED:
            return frozenset(Several(value) for value in self.of(next(iter(inner), None), scope))
        return self.of(node.slice, scope)
