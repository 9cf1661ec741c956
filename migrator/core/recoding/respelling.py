"""A statement and its translation → the fewest changes in the statement's own text, and in the literals it is made of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from migrator.core.python.modules import Module
from migrator.core.python.texts import Hole, Known, Marks, Text
from migrator.core.recoding.edits import TextEdit

# Tokens of either dialect, and of the drivers' placeholders; what is between them stays as the author wrote it.
_TOKEN = re.compile(
    r"""
      [eEuUxX]?&?'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
    | %\(\w+\)s | %s | %% | \$\d+ | [:@$]\w+(?:::\w+)* | \?\d*
    | \w+ | :: | <= | >= | <> | != | == | \|\| | ->> | -> | << | >>
    | --[^\n]* | /\*.*?\*/ | [^\s\w]
    """,
    re.VERBOSE | re.DOTALL,
)


class Scattered(Exception):
    """A change does not lie in one literal; the message says which."""


def changes(source: str, target: str) -> list[TextEdit]:
    """The changes that make the tokens of one text those of the other, spaces and comments left alone."""
    ours, theirs = _tokens(source), _tokens(target)
    matcher = SequenceMatcher(None, [text for text, _, _ in ours], [text for text, _, _ in theirs], autojunk=False)
    found = []
    for kind, start, end, other, other_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        new = target[theirs[other][1] : theirs[other_end - 1][2]] if other_end > other else ""
        found.append(_change(source, ours, start, end, new))
    return found


def _change(source: str, ours: Sequence[tuple[str, int, int]], start: int, end: int, new: str) -> TextEdit:
    if end > start:
        first, last = ours[start][1], ours[end - 1][2]
        if not new and last < len(source) and source[last] == " ":
            last += 1
        return TextEdit(first, last, new)
    # Something is put in between: behind the token before, with a space if both are words.
    at = ours[start - 1][2] if start else 0
    joined = bool(start) and _is_word(source[at - 1]) and _is_word(new[0])
    follows = start < len(ours) and ours[start][1] == at and _is_word(new[-1]) and _is_word(source[at])
    lead = " " if joined or (start and new[0] not in ",;.)" and not new.startswith(("::", "(")) and source[at - 1] != "(") else ""
    return TextEdit(at, at, f"{lead}{new}{' ' if follows else ''}")


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_'\"%"


def _tokens(text: str) -> list[tuple[str, int, int]]:
    """(what is compared, start, end): words in any case are one, comments are none."""
    found = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if not token.startswith(("--", "/*")):
            found.append((token if token[0] in "'\"`[$:@" else token.upper(), match.start(), match.end()))
    return found


@dataclass
class Literals:
    """The changes in each part of each literal of a program, gathered from all statements that it is a part of."""

    found: dict[tuple[Module, ast.expr, int], tuple[TextEdit, ...]] = field(default_factory=dict)

    def agree(self, wanted: dict[tuple[Module, ast.expr, int], tuple[TextEdit, ...]]) -> bool:
        """Whether nobody wants a part of these literals changed in another way."""
        return all(self.found.get(key, edits) == edits for key, edits in wanted.items())

    def take(self, wanted: dict[tuple[Module, ast.expr, int], tuple[TextEdit, ...]]) -> None:
        self.found.update(wanted)


Wanted = dict[tuple[Module, ast.expr, int], tuple[TextEdit, ...]]


def in_literals(variants: Iterable[tuple[Text, Sequence[TextEdit], str]], marks: str) -> Wanted:
    """(text, changes in it, what stood for its holes) → the changes in each literal. Raises Scattered."""
    wanted: Wanted = {}
    for text, edits, hole in variants:
        mine: dict[tuple[Module, ast.expr, int], list[TextEdit]] = {}
        for key, edit in _divided(text, edits, hole, marks):
            mine.setdefault(key, []).append(edit)
        for piece in text.pieces:
            if isinstance(piece, Known):
                key = (piece.module, piece.node, piece.part)
                new = tuple(sorted(set(mine.get(key, ())), key=lambda edit: (edit.start, edit.end)))
                inside = tuple(edit for edit in new if _is_in(edit, piece))
                before = tuple(edit for edit in wanted.get(key, ()) if _is_in(edit, piece))
                if key in wanted and before != inside and _covered(wanted, key, piece):
                    raise Scattered(f"{piece.text.strip()[:40]!r} would have to differ from case to case")
                wanted[key] = tuple(sorted({*wanted.get(key, ()), *new}, key=lambda edit: (edit.start, edit.end)))
    return wanted


def _covered(wanted: Wanted, key: tuple[Module, ast.expr, int], piece: Known) -> bool:
    return key in wanted


def _is_in(edit: TextEdit, piece: Known) -> bool:
    return piece.start <= edit.start and edit.end <= piece.start + len(piece.text)


def _divided(
    text: Text, edits: Sequence[TextEdit], hole: str, marks: str
) -> Iterator[tuple[tuple[Module, ast.expr, int], TextEdit]]:
    """Each change with the literal that it lies in. Raises Scattered."""
    spans = list(_spans(text, hole, marks))
    for edit in edits:
        piece, start = _piece_of(spans, edit)
        if not isinstance(piece, Known):
            raise Scattered("what would have to be changed is put in from elsewhere")
        moved = piece.start + edit.start - start
        yield (piece.module, piece.node, piece.part), TextEdit(moved, moved + edit.end - edit.start, edit.new)


def _piece_of(spans: Sequence[tuple[Known | Marks | Hole, int, int]], edit: TextEdit) -> tuple[Known | Marks | Hole, int]:
    """What is put in between two literals goes to the first that it touches."""
    for piece, start, end in spans:
        if start <= edit.start and edit.end <= end and isinstance(piece, Known):
            return piece, start
    for piece, start, end in spans:
        if start <= edit.start and edit.end <= end:
            return piece, start
    raise Scattered("a change goes over the end of a literal")


def _spans(text: Text, hole: str, marks: str) -> Iterator[tuple[Known | Marks | Hole, int, int]]:
    place = 0
    for piece in text.pieces:
        length = len(piece.text) if isinstance(piece, Known) else len(marks) if isinstance(piece, Marks) else len(hole)
        yield piece, place, place + length
        place += length
