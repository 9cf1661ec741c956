"""The smallest parts of a file that its changes concern and that can be read alone.

Keeping every space takes libcst's time, for each node that it reads; most of a file needs none of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrator.core.recoding.edits import Range


@dataclass(frozen=True)
class Block:
    """Whole lines, counted from 1, both included; `is_indented` where they are no file by themselves."""

    first: int
    last: int
    is_indented: bool = False

    def holds(self, place: Range) -> bool:
        return self.first <= place.line and place.end_line <= self.last


def blocks(tree: ast.Module, lines: Sequence[str], places: Iterable[Range], gone: Iterable[Range]) -> list[Block]:
    """They hold all places, and do not overlap. Of a statement that goes (`gone`) the one around it is a block:
    nothing may be left in that."""
    return [*_Blocks(lines, frozenset(gone)).of(tree, Block(1, len(lines)), [*places])]


@dataclass(frozen=True)
class _Blocks:
    lines: Sequence[str]
    gone: frozenset[Range]

    def of(self, node: ast.AST, block: Block, places: Sequence[Range]) -> Iterator[Block]:
        inner = [(child, found) for child in _statements(node) if (found := self._alone(child)) is not None]
        inside = {
            id(child): [place for place in places if found.holds(place) and not self._goes(found, place)]
            for child, found in inner
        }
        if sum(map(len, inside.values())) < len(places):
            yield block
            return
        for child, found in inner:
            if inside[id(child)]:
                yield from self.of(child, found, inside[id(child)])

    def _goes(self, block: Block, place: Range) -> bool:
        return place in self.gone and block.first == place.line

    def _alone(self, node: ast.stmt) -> Block | None:
        """None where something else stands in its lines, or where it is a part of the statement before: an elif."""
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        opening, closing = self.lines[first - 1], self.lines[last - 1].encode()
        before = opening.encode()[: node.col_offset].decode()
        behind = closing[node.end_col_offset :].decode().strip()
        follows = first > 1 and self.lines[first - 2].rstrip("\r\n").endswith("\\")
        if before.strip(" \t") or follows or opening.lstrip().startswith("elif") or (behind and behind[0] != "#"):
            return None
        return Block(first, last, is_indented=bool(before))


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Those directly inside of one, or of its handlers and cases."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _statements(child)
