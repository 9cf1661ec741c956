"""A statement and its translation → the fewest changes in the statement's own text, and in its literals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from migrator.core.python.modules import Module
from migrator.core.python.texts import Hole, Known, Marks, Piece, Text
from migrator.core.recoding.edits import TextEdit, edited

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
        touches = other < other_end < len(theirs) and theirs[other_end - 1][2] == theirs[other_end][1]
        found.append(_change(source, ours, start, end, new, touches=touches))
    return found if tokens_of(edited(source, found)) == tokens_of(target) else [_whole(source, target)]


def tokens_of(text: str) -> list[str]:
    """As they are compared: words in capitals, without spaces and comments."""
    return [token for token, _, _ in _tokens(text)]


def _whole(source: str, target: str) -> TextEdit:
    """One change from the first token that differs to the last: single ones would run into their neighbours."""
    ours, theirs = _tokens(source), _tokens(target)
    least = min(len(ours), len(theirs))
    first = next((place for place in range(least) if ours[place][0] != theirs[place][0]), least)
    last = next(
        (place for place in range(least - first) if ours[-1 - place][0] != theirs[-1 - place][0]), least - first
    )
    start, end = ours[first - 1][2] if first else 0, ours[-last][1] if last else len(source)
    new = target[theirs[first][1] : theirs[len(theirs) - last - 1][2]] if first + last < len(theirs) else ""
    return TextEdit(start, end, f"{' ' if first else ''}{new}{' ' if last and new else ''}")


def _change(
    source: str, ours: Sequence[tuple[str, int, int]], start: int, end: int, new: str, *, touches: bool
) -> TextEdit:
    """`touches`: nothing stands between the new text and the token behind it."""
    if end > start:
        first, last = ours[start][1], ours[end - 1][2]
        closes_up = end < len(ours) and ours[end][1] == last and _is_word(source[last]) and _is_word(source[first - 2])
        if not new and start and source[first - 1] == " " and not closes_up:
            first -= 1
        before, behind = source[first - 1] if first else " ", source[last] if last < len(source) else " "
        if not new:
            return TextEdit(first, last, " " if _is_word(before) and _is_word(behind) else "")
        between = source[last : ours[end][1]] if touches and new[-1:] in (".", "(") and end < len(ours) else ""
        if not between.strip(" "):
            last += len(between)
        joined = _is_word(before) if _is_word(new[0]) else new[0] in "=<>" and not before.isspace()
        lead = " " if joined else ""
        return TextEdit(first, last, f"{lead}{new}{' ' if _is_word(new[-1]) and _is_word(behind) else ''}")
    if touches and start < len(ours):
        at = ours[start][1]
        before = source[at - 1] if at else " "
        is_apart = _is_word(before) or before == ","
        lead = " " if (is_apart and _is_word(new[0])) or (new[0] in "=<>" and not before.isspace()) else ""
        return TextEdit(at, at, f"{lead}{new}")
    # Something is put in between: behind the token before, with a space if both are words.
    at = ours[start - 1][2] if start else 0
    joined = bool(start) and _is_word(source[at - 1]) and _is_word(new[0])
    follows = start < len(ours) and ours[start][1] == at and _is_word(new[-1]) and _is_word(source[at])
    apart = start and new[0] not in ",;.)" and not new.startswith(("::", "(")) and source[at - 1] != "("
    lead = " " if joined or apart else ""
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


Literal = tuple[Module, ast.expr, int]  # a literal, and which part of an f-string
Wanted = dict[Literal, tuple[TextEdit, ...]]


@dataclass
class Literals:
    """The changes in each part of each literal of a program, gathered from all statements that it is a part of."""

    found: Wanted = field(default_factory=dict)

    def take(self, wanted: Wanted) -> bool:
        """False where another statement wants one of these literals changed in another way, or not at all."""
        if any(self.found.get(key, edits) != edits for key, edits in wanted.items()):
            return False
        self.found.update(wanted)
        return True


@dataclass(frozen=True)
class Divided:
    """The changes of one text by the literals that they lie in, and the holes that go with them."""

    changes: dict[tuple[Literal, int], tuple[TextEdit, ...]]
    without: tuple[Hole | Marks, ...] = ()


def in_literals(variants: Iterable[tuple[Text, Sequence[TextEdit]]]) -> Divided:
    """Variants of a text, each with the changes in it, → the changes in each literal. Raises Scattered."""
    by_piece: dict[tuple[Literal, int], tuple[TextEdit, ...]] = {}
    without: dict[Hole | Marks, None] = {}
    for text, edits in variants:
        parts = divided(text, edits, len("?"))
        without |= dict.fromkeys(parts.without)
        for key, mine in parts.changes.items():
            if by_piece.setdefault(key, mine) != mine:
                raise Scattered("a part of it would have to be changed in one case and not in another")
    return Divided(by_piece, tuple(without))


def by_literal(by_piece: Mapping[tuple[Literal, int], tuple[TextEdit, ...]]) -> Wanted:
    wanted: Wanted = {}
    for (literal, _), edits in sorted(by_piece.items(), key=lambda item: item[0][1]):
        wanted[literal] = wanted.get(literal, ()) + edits
    return wanted


def divided(text: Text, edits: Sequence[TextEdit], hole_length: int) -> Divided:
    """`hole_length` is that of what stood in the place of each hole. Raises Scattered."""
    spans = list(_spans(text, hole_length))
    found: dict[tuple[Literal, int], tuple[TextEdit, ...]] = {
        ((piece.module, piece.node, piece.part), piece.start): () for piece, _, _ in spans if isinstance(piece, Known)
    }
    without: list[Hole | Marks] = []
    for edit in edits:
        for piece, mine in _shares(spans, edit):
            if isinstance(piece, Hole | Marks):
                without.append(piece)
            elif isinstance(piece, Known):
                found[(piece.module, piece.node, piece.part), piece.start] += (mine,)
    return Divided(found, tuple(without))


def _shares(spans: Sequence[tuple[Piece, int, int]], edit: TextEdit) -> Iterator[tuple[Piece, TextEdit]]:
    """What of a change falls to which piece: the new text goes to the first literal that it touches."""
    touched = [item for item in spans if item[1] <= edit.start and edit.end <= item[2]]
    touched = [item for item in touched if isinstance(item[0], Known)][:1]
    if not touched:
        # Behind a literal and over holes: the literal takes the new text, the holes go.
        touched = [item for item in spans if item[1] < edit.end and edit.start < item[2]]
        before = [item for item in spans if item[2] == edit.start and isinstance(item[0], Known)]
        touched = touched if touched and isinstance(touched[0][0], Known) else [*before[-1:], *touched]
    if not touched or not isinstance(touched[0][0], Known) or any(_is_apart(item[0]) for item in touched):
        raise Scattered("what would have to be changed does not stand in one literal")
    for place, (piece, start, end) in enumerate(touched):
        first, last = max(edit.start, start), min(edit.end, end)
        offset = (piece.start if isinstance(piece, Known) else 0) - start
        new = "" if place else _doubled(edit.new, piece.doubled if isinstance(piece, Known) else "")
        yield piece, TextEdit(first + offset, max(first, last) + offset, new)


def _doubled(text: str, characters: str) -> str:
    """As it is written in a literal that is formatted."""
    for character in characters:
        text = text.replace(character, character * 2)
    return text


def _is_apart(piece: Piece) -> bool:
    """Whether something that is put in is no field of an f-string, and so cannot go with a change."""
    return not isinstance(piece, Known) and piece.within is None


def _spans(text: Text, hole_length: int) -> Iterator[tuple[Piece, int, int]]:
    place = 0
    for piece in text.pieces:
        length = len(piece.text) if isinstance(piece, Known) else 1 if isinstance(piece, Marks) else hole_length
        yield piece, place, place + length
        place += length
