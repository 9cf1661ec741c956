"""The author's words for a translation: what means the same in PostgreSQL stays as it is written, comments included.

Both texts are read as PostgreSQL reads them. Where their trees agree the author's text is kept, elsewhere the
translation is put in its place, with no more quotes, parentheses and names of tables than it needs. The result is read
once more: unless it has the translation's tree, the translation itself is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from migrator.core.sql.postgres_statements import INSERTS, read_statement
from migrator.core.sql.postgres_tokens import KEYWORDS, Unreadable, plain_name, unmarked
from migrator.core.sql.postgres_tree import CAST, COMPARISON, IS, NOT, OTHER, PATTERN, SIGN, Node


def worded(written: str, translated: str) -> str:
    """`written` has marks for its placeholders, as `translated` has, in which names of tables may be marked as free."""
    try:
        wanted = read_statement(translated)
    except (Unreadable, RecursionError):
        return unmarked(translated)
    return _proven(_Merger(written).statement, wanted) or _proven(printed, wanted) or unmarked(translated)


def _proven(write: Callable[[Node], str], wanted: Node) -> str | None:
    """What is written for the tree, if PostgreSQL reads this tree in it."""
    try:
        found = write(wanted)
        return found if same(read_statement(found), wanted) else None
    except (Unreadable, RecursionError):
        return None


def same(one: Node, wanted: Node) -> bool:
    """Whether PostgreSQL understands both alike."""
    one, wanted = _without_needless_alias(one), _without_needless_alias(wanted)
    if one.kind != wanted.kind or len(one.children) != len(wanted.children):
        return False
    if one.text != wanted.text and not (wanted.free and one.text == wanted.last_part):
        return False
    return all(map(same, one.children, wanted.children))


def _without_needless_alias(node: Node) -> Node:
    needless = node.kind == "as" and node.children[1].text == node.children[0].last_part
    return node.children[0] if needless else node


class _Merger:
    """Answers in the author's text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def statement(self, wanted: Node) -> str:
        found = read_statement(self.text)
        return self.text[: found.start] + self.merged(found, wanted, 0) + self.text[found.end :]

    def merged(self, mine: Node, wanted: Node, least: int) -> str:
        """For the span of `mine`; `least` is how tightly its place wants it to bind."""
        start, end = mine.span
        if same(mine, wanted):
            return self.text[start:end]
        if wanted.kind == "as" and mine.kind != "as":
            return self._renamed(mine, wanted)
        if wanted.kind.startswith("order") and mine.kind.startswith("order"):
            return self.merged(mine.children[0], wanted.children[0], 0) + _direction(wanted)
        if mine.kind == wanted.kind == "statement":
            return self._clauses(mine, wanted)
        if mine.kind != wanted.kind or not len(mine.children) == len(wanted.children) > 0:
            return printed(wanted, least)
        return self.text[start : mine.start] + self._children(mine, wanted) + self.text[mine.end : end]

    def _renamed(self, mine: Node, wanted: Node) -> str:
        inner, name = wanted.children
        found = self.merged(mine, inner, 0)
        return found if _without_needless_alias(wanted) is inner else f"{found} AS {printed(name)}"

    def _children(self, mine: Node, wanted: Node) -> str:
        pieces, place = list[str](), mine.start
        for child, (new, least) in zip(mine.children, _places(wanted), strict=True):
            start, end = child.span
            pieces += [self.text[place:start], self.merged(child, new, least)]
            place = end
        return "".join([*pieces, self.text[place : mine.end]])

    # Clauses

    def _clauses(self, mine: Node, wanted: Node) -> str:
        ours, theirs = ([_heading(clause) for clause in node.children] for node in (mine, wanted))
        pieces, place = list[str](), mine.start
        for what, i, j, k, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            old, new = mine.children[i:j], wanted.children[k:m]
            if what == "equal":
                for clause, other in zip(old, new, strict=True):
                    pieces += [self.text[place : clause.start], self._clause(clause, other)]
                    place = clause.end
                continue
            pieces += [(" " if pieces else "") + printed(clause) for clause in new]
            place = old[-1].end if old else place
        return "".join([*pieces, self.text[place : mine.end]])

    def _clause(self, mine: Node, wanted: Node) -> str:
        if mine.kind == wanted.kind and len(mine.children) == len(wanted.children):
            return self._children(mine, wanted)
        if mine.kind == wanted.kind and mine.children:
            return self.text[mine.start : mine.children[0].span[0]] + _listed(wanted)
        if len(mine.children) == len(wanted.children) > 0:
            items = [self.merged(*pair, 0) for pair in zip(mine.children, wanted.children, strict=True)]
            return f"{_phrase(wanted)} {_between(wanted).join(items)}"
        return printed(wanted)


def _heading(clause: Node) -> str:
    phrase = clause.kind.removeprefix("clause ")
    return "insert" if phrase in INSERTS else "select" if phrase == "select distinct" else phrase


# -- a tree as text ----------------------------------------------------------------------------------------------------


def printed(node: Node, least: int = 0) -> str:
    """With the parentheses that it needs where it must bind as tightly as `least`."""
    node = _without_needless_alias(node)
    parts = [printed(child, level) for child, level in _places(node)]
    head, _, rest = node.kind.partition(" ")
    printer = _PRINTERS.get(head)
    text = printer(node, rest, parts) if printer else node.text
    return f"({text})" if node.level < least else text


def _places(node: Node) -> Iterator[tuple[Node, int]]:
    """The children, and how tightly each must bind where it stands."""
    for place, child in enumerate(node.children):
        yield child, _least(node, place)


def _least(node: Node, place: int) -> int:
    head = node.kind.partition(" ")[0]
    if head == "binary":
        associates = place == 0 and node.level not in (PATTERN, IS, COMPARISON)
        return node.level if associates else node.level + 1
    if head == "between" and place == 1:
        return SIGN
    return _LEAST.get(head, 0)


_LEAST = {
    "not": NOT,
    "sign": SIGN + 1,
    "prefix": OTHER + 1,
    "is": IS + 1,
    "in": PATTERN + 1,
    "between": PATTERN + 1,
    "collate": SIGN + 1,
    "cast": CAST,
}


def _name(node: Node, rest: str, parts: Sequence[str]) -> str:
    pieces = [node.last_part] if node.free else node.parts
    return ".".join(piece if piece == "*" else plain_name(piece[1:-1].replace('""', '"')) for piece in pieces)


def _negated(node: Node, rest: str, parts: Sequence[str]) -> str:
    [inner] = node.children
    if inner.kind.partition(" ")[0] in ("in", "between") or inner.kind in ("binary like", "binary ilike"):
        operands = [printed(child, level) for child, level in _places(inner)]
        head, _, rest = inner.kind.partition(" ")
        return f"{operands[0]} NOT {_PRINTERS[head](inner, rest, ['', *operands[1:]]).lstrip()}"
    return f"NOT {parts[0]}"


def _binary(node: Node, rest: str, parts: Sequence[str]) -> str:
    if rest.endswith(" escape"):
        return f"{parts[0]} {rest.removesuffix(' escape').upper()} {parts[1]} ESCAPE {parts[2]}"
    return f" {rest.upper()} ".join(parts)


def _case(node: Node, rest: str, parts: Sequence[str]) -> str:
    words, left = ["CASE"], list(parts)
    if rest.startswith("of"):
        words.append(left.pop(0))
    otherwise = left.pop() if rest.endswith("else") else None
    words += [f"WHEN {when} THEN {then}" for when, then in zip(left[::2], left[1::2], strict=True)]
    return " ".join([*words, *([f"ELSE {otherwise}"] if otherwise is not None else []), "END"])


def _call(node: Node, rest: str, parts: Sequence[str]) -> str:
    name, *arguments = parts
    return (
        f"{name}({'DISTINCT ' if 'distinct' in rest else ''}{(' FROM ' if 'from' in rest else ', ').join(arguments)})"
    )


def _over(node: Node, rest: str, parts: Sequence[str]) -> str:
    return f"{parts[0]} OVER ({' '.join([*parts[1:], *([rest.upper()] if rest else [])])})"


def _direction(node: Node) -> str:
    return node.kind.removeprefix("order").upper()


def _phrase(clause: Node) -> str:
    return clause.kind.removeprefix("clause ").upper()


def _between(clause: Node) -> str:
    return " " if clause.kind.removeprefix("clause ") in INSERTS else ", "


def _listed(clause: Node) -> str:
    return _between(clause).join(map(printed, clause.children))


def _clause(node: Node, rest: str, parts: Sequence[str]) -> str:
    return " ".join([_phrase(node), _between(node).join(parts)]).rstrip()


_PRINTERS: dict[str, Callable[[Node, str, Sequence[str]], str]] = {
    "name": _name,
    "function": lambda node, *_: node.text.upper() if node.text in KEYWORDS else node.text,
    "star": lambda *_: "*",
    "not": _negated,
    "sign": lambda _, rest, parts: f"{rest}{parts[0]}",
    "prefix": lambda _, rest, parts: f"{rest} {parts[0]}",
    "binary": _binary,
    "is": lambda _, rest, parts: f"{parts[0]} IS {rest.upper()}",
    "in": lambda _, rest, parts: f"{parts[0]} IN {parts[1]}",
    "between": lambda _, rest, parts: f"{parts[0]} BETWEEN {parts[1]} AND {parts[2]}",
    "collate": lambda node, rest, parts: f"{parts[0]} COLLATE {node.children[1].text}",
    "cast": lambda _, rest, parts: f"{parts[0]}::{rest}",
    "case": _case,
    "call": _call,
    "over": _over,
    "exists": lambda _, rest, parts: f"EXISTS {parts[0]}",
    "query": lambda _, rest, parts: f"({parts[0]})",
    "row": lambda _, rest, parts: f"({', '.join(parts)})",
    "list": lambda _, rest, parts: f"({', '.join(parts)})",
    "as": lambda _, rest, parts: f"{parts[0]} AS {parts[1]}",
    "order": lambda node, rest, parts: parts[0] + _direction(node),
    "assignment": lambda _, rest, parts: f"{parts[0]} = {parts[1]}",
    "common": lambda _, rest, parts: f"{' '.join(parts[:-1])} AS {parts[-1]}",
    "clause": _clause,
    "statement": lambda _, rest, parts: " ".join(parts),
}
