"""What PostgreSQL reads in a text: a tree in which parentheses, quotes and the case of keywords are gone.

Two texts with one tree mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OR, AND, NOT, IS, COMPARISON, PATTERN, OTHER, SUM, PRODUCT, ZONE, COLLATE, SIGN, CAST, ATOM = range(1, 15)


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` says all that the children and, in a leaf, `text` do not; the span leaves parentheses around it out.

    A name's text has quotes around each part. free: of a name with a table before it, that this may go. around: the
    span with the parentheses, where there are some.
    """

    kind: str
    children: tuple[Node, ...] = ()
    text: str = ""
    start: int = 0
    end: int = 0
    level: int = ATOM
    free: bool = False
    quoted: bool = False  # of a name: whether a part of it is written in quotes
    around: tuple[int, int] | None = None

    @property
    def span(self) -> tuple[int, int]:
        return self.around or (self.start, self.end)

    @property
    def parts(self) -> list[str]:
        """Of a name: each part in quotes, or *."""
        return _PART.findall(self.text)

    @property
    def last_part(self) -> str:
        """By which PostgreSQL calls it; '' for what is no name."""
        return self.parts[-1] if self.kind == "name" else ""


_PART = re.compile(r'"(?:[^"]|"")*"|\*')
