"""String literals of Python with other text: quotes, prefix and all that does not change stay."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import libcst as cst

from migrator.core.recoding.edits import Respelled, TextEdit

_ESCAPE = re.compile(r"\\(?:\r?\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|.)", re.DOTALL)

String = cst.SimpleString | cst.FormattedString | cst.ConcatenatedString


def respelled(node: String, edit: Respelled) -> cst.BaseExpression:
    """The literal with its parts edited: of implicitly joined literals each is edited for itself."""
    pieces = _Pieces(node)
    for part, edits in edit.parts.items():
        for change in sorted(edits, key=lambda item: item.start, reverse=True):
            pieces.change(part, change)
    return pieces.rebuilt(node, edit)


class _Each(cst.CSTTransformer):
    """Another spelling of each of a run of placeholders. One that is taken apart letter by letter becomes a list."""

    def leave_BinaryOperation(  # noqa: N802 - libcst's name
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        changed = {}
        for side in ("left", "right"):
            if _is_mark(getattr(original_node, side)):
                changed[side] = cst.List([cst.Element(getattr(updated_node, side))])
        return updated_node.with_changes(**changed)

    def leave_SimpleString(  # noqa: N802 - libcst's name
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        return updated_node.with_changes(value=_value(updated_node, "%s")) if _is_mark(original_node) else updated_node


def _is_mark(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString) and node.evaluated_value == "?"


class _Piece:
    """A stretch of literal text: in a SimpleString between its quotes, or one text of an f-string."""

    def __init__(self, raw: str, prefix: str, quote: str, doubled: bool) -> None:
        self.raw = raw
        self.is_raw = "r" in prefix.lower()
        self.quote = quote
        self.doubled = doubled  # braces, in an f-string
        self.edits: list[TextEdit] = []

    def characters(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, how many characters of the value): for each stretch of the raw text that is one unit."""
        place = 0
        while place < len(self.raw):
            end, length = self._unit(place)
            yield place, end, length
            place = end

    def _unit(self, place: int) -> tuple[int, int]:
        """Where the unit that begins here ends, and how many characters of the value it is."""
        if self.raw[place] == "\\" and not self.is_raw:
            found = _ESCAPE.match(self.raw, place)
            end = found.end() if found else place + 1
            return end, len(ast.literal_eval(f"'{self.raw[place:end]}'")) if end > place + 1 else 1
        pair = self.raw[place : place + 2]
        is_one = pair == "\r\n" or (self.doubled and pair in ("{{", "}}"))
        return place + (2 if is_one else 1), 1

    @property
    def length(self) -> int:
        return sum(length for _, _, length in self.characters())

    def rebuilt(self) -> str:
        starts = []
        for start, _, length in self.characters():
            starts += [start] * length
        starts.append(len(self.raw))
        text = self.raw
        for edit in self.edits:  # from the last to the first
            text = text[: starts[edit.start]] + self._escaped(edit.new) + text[starts[edit.end] :]
        if len(self.quote) == 3 and text.endswith(self.quote[0]):
            # Four quotes in a row would end the literal before its last character.
            text = f"{text} " if self.is_raw else f"{text[:-1]}\\{text[-1]}"
        return text

    def _escaped(self, new: str) -> str:
        if self.doubled:
            new = new.replace("{", "{{").replace("}", "}}")
        if self.is_raw:
            return new
        new = new.replace("\\", "\\\\")
        if len(self.quote) == 3:
            return new.replace(self.quote, "\\" + self.quote)
        return new.replace(self.quote, "\\" + self.quote).replace("\n", "\\n")


class _Pieces:
    """The stretches of a literal in order, each with the part of ast's JoinedStr that it belongs to."""

    def __init__(self, node: String) -> None:
        self.of: dict[int, _Piece] = {}  # by the id of the concrete node
        self.parts: list[tuple[int, _Piece]] = []
        self.fields: dict[int, int] = {}  # the part that a field is, by the id of its concrete node
        self._part = 0
        self._in_text = False
        self._read(node)

    def _read(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.ConcatenatedString):
            self._read(node.left)
            self._read(node.right)
        elif isinstance(node, cst.SimpleString):
            piece = _Piece(node.raw_value, node.prefix, node.quote, doubled=False)
            self._add(node, piece)
        elif isinstance(node, cst.FormattedString):
            for item in node.parts:
                if isinstance(item, cst.FormattedStringText):
                    self._add(item, _Piece(item.value, node.prefix, node.quote, doubled=True))
                else:
                    self.fields[id(item)] = self._part + self._in_text
                    self._part += 1 + self._in_text
                    self._in_text = False

    def _add(self, node: cst.CSTNode, piece: _Piece) -> None:
        self._in_text = self._in_text or bool(piece.raw)
        self.parts.append((self._part, piece))
        self.of[id(node)] = piece

    def change(self, part: int, edit: TextEdit) -> None:
        """Of a change that goes over the end of a literal, the first has the new text and the others lose theirs."""
        place, new = 0, edit.new
        touched: Sequence[_Piece] = [piece for number, piece in self.parts if number == part]
        for piece in touched:
            end = place + piece.length
            if edit.start < end or (edit.start == edit.end == end):
                if edit.end <= place and edit.start != edit.end:
                    break
                inner = TextEdit(max(edit.start - place, 0), min(edit.end, end) - place, new)
                if inner.start <= inner.end:
                    piece.edits.append(inner)
                    new = ""
                if edit.end <= end:
                    return
            place = end

    def rebuilt(self, node: cst.BaseExpression, edit: Respelled) -> cst.BaseExpression:
        if isinstance(node, cst.ConcatenatedString):
            return node.with_changes(left=self.rebuilt(node.left, edit), right=self.rebuilt(node.right, edit))
        if isinstance(node, cst.SimpleString):
            piece = self.of.get(id(node))
            return node.with_changes(value=_value(node, piece.rebuilt())) if piece and piece.edits else node
        assert isinstance(node, cst.FormattedString)
        parts = [self._part_of(item, edit) for item in node.parts if self.fields.get(id(item)) not in edit.without]
        if all(isinstance(item, cst.FormattedStringText) for item in parts) and edit.without:
            return _plain(node, parts)
        return node.with_changes(parts=parts)

    def _part_of(self, item: cst.BaseFormattedStringContent, edit: Respelled) -> cst.BaseFormattedStringContent:
        if id(item) in self.of:
            return item.with_changes(value=self.of[id(item)].rebuilt())
        if self.fields.get(id(item)) in edit.marked and isinstance(item, cst.FormattedStringExpression):
            return item.with_changes(expression=item.expression.visit(_Each()))
        return item


def _plain(node: cst.FormattedString, parts: Sequence[cst.BaseFormattedStringContent]) -> cst.SimpleString:
    """An f-string that has no field any more."""
    texts = "".join(item.value for item in parts if isinstance(item, cst.FormattedStringText))
    prefix = node.prefix.replace("f", "").replace("F", "")
    text = texts.replace("{{", "{").replace("}}", "}")
    return cst.SimpleString(f"{prefix}{node.quote}{text}{node.quote}", lpar=node.lpar, rpar=node.rpar)


def _value(node: cst.SimpleString, raw: str) -> str:
    """A text of several lines gets quotes that may hold them."""
    return f"{node.prefix}{node.quote}{raw}{node.quote}"
