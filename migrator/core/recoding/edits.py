"""What is to be changed in a file, each by the place in the source that it concerns."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from migrator.core.python.modules import Module


@dataclass(frozen=True)
class Range:
    """From a line and column to another: lines from 1, columns in characters from 0, as libcst counts."""

    line: int
    column: int
    end_line: int
    end_column: int

    def moved_up(self, lines: int) -> Range:
        return Range(self.line - lines, self.column, self.end_line - lines, self.end_column)


@dataclass(frozen=True)
class TextEdit:
    """`new` in place of the characters from `start` to `end` of a text."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Respelled:
    """A literal with other text. `parts` are the edits of each part of an f-string; a plain literal has one, 0."""

    parts: Mapping[int, tuple[TextEdit, ...]]
    without: frozenset[int] = frozenset()  # fields of an f-string that go
    marked: frozenset[int] = frozenset()  # fields that make a run of placeholders, each of which is spelt anew


@dataclass(frozen=True)
class Replaced:
    """Another expression; `{}` in it stands for the one that was there."""

    source: str


@dataclass(frozen=True)
class CalledOn:
    """`of.method(a, b)` → `function(of, a, b)`."""

    function: str


@dataclass(frozen=True)
class Asked:
    """`of.attribute` → what `source` says, with `of` in the place of `{}`."""

    source: str


@dataclass(frozen=True)
class Argued:
    """A call with one more argument behind the others."""

    source: str


@dataclass(frozen=True)
class Keyed:
    """A tuple or list literal → a dict with these keys, or a dict → a tuple of the values of these keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """An expression that stands alone → `name = expression`."""

    name: str


@dataclass(frozen=True)
class Unawaited:
    """`await x` → `x`."""


@dataclass(frozen=True)
class Removed:
    """A statement that goes."""


@dataclass(frozen=True)
class NewSource:
    """A file before and after; a new one was empty before."""

    path: PurePosixPath
    old: str
    new: str


def edited(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all of these changes, which do not overlap."""
    for edit in sorted(edits, key=lambda item: (item.start, item.end), reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


Edit = Respelled | Replaced | Asked | CalledOn | Argued | Keyed | Named | Unawaited | Removed


@dataclass
class Edits:
    """Of one module. `needs` are the modules that the new source uses."""

    module: Module
    found: dict[tuple[Range, str], list[Edit]] = field(default_factory=dict)

    def add(self, node: ast.expr | ast.stmt, edit: Edit) -> None:
        """Under the place and kind of a node: an expression statement is no expression."""
        edits = self.found.setdefault((self.range_of(node), type(node).__name__), [])
        if edit not in edits:
            edits.append(edit)

    def range_of(self, node: ast.expr | ast.stmt) -> Range:
        """ast counts columns in bytes of UTF-8."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return Range(
            node.lineno,
            self._characters(node.lineno, node.col_offset),
            node.end_lineno,
            self._characters(node.end_lineno, node.end_col_offset),
        )

    def _characters(self, line: int, offset: int) -> int:
        text = self.module.lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))
