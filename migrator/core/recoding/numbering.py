"""How the placeholders of each statement are written: with the driver's names or numbers, or in the values' order.

`$1` and `:p1` say which value they are for, and a text that is put together from parts does not know that before it is
sent. There `%s` stands for the next value, as psycopg has it, and it is counted when the statement is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from migrator.core.audit.touched import HOLE
from migrator.core.python.sites import Site
from migrator.core.python.texts import Known, Marks, Text
from migrator.core.recoding.arguments import is_spelt
from migrator.core.recoding.respelling import Literal
from migrator.core.recoding.target import Target
from migrator.core.recoding.values import parametrised
from migrator.core.sql.lexer import LexError, Token, TokenKind, tokens
from migrator.core.sql.placeholders import Driver

Place = tuple[Literal, int]  # a placeholder in a literal


def numbered(sites: Iterable[Site], target: Target) -> Mapping[Site, Driver]:
    """Each site with the driver whose placeholders it gets: that of the target, or psycopg's for those in order."""
    if target.driver is Driver.PSYCOPG:
        return defaultdict(lambda: Driver.PSYCOPG)
    found = {site: list(_places(site, target.driver)) for site in sites}
    numbers: dict[Place, set[int]] = {}
    for placed in found.values():
        for place, number in placed:
            numbers.setdefault(place, set()).add(number)
    counted = {place for place, several in numbers.items() if len(several) > 1}
    late = {
        site
        for site, placed in found.items()
        if counted.intersection(place for place, _ in placed) or not _has_numbers(site, bool(placed), target)
    }
    _spread(late, found)
    return {site: Driver.PSYCOPG if site in late else target.driver for site in found}


def _spread(late: set[Site], found: Mapping[Site, list[tuple[Place, int]]]) -> None:
    """Whoever shares a literal with placeholders with one of these is one of them."""
    sharing: dict[Literal, set[Site]] = {}
    for site, placed in found.items():
        for (literal, _), _ in placed:
            sharing.setdefault(literal, set()).add(site)
    waiting = list(late)
    while waiting:
        for (literal, _), _ in found[waiting.pop()]:
            more = sharing.pop(literal, set()) - late
            late |= more
            waiting += more


def _has_numbers(site: Site, has_places: bool, target: Target) -> bool:
    """Whether it is known in the source which value each placeholder is for."""
    if any(text.holes for text in site.texts):
        return len(site.texts) == 1 and parametrised(site.texts[0]) is not None
    marks = [piece for text in site.texts for piece in text.pieces if isinstance(piece, Marks)]
    if any(mark.within is None for mark in marks):
        return False
    if target.driver is not Driver.SQLALCHEMY:
        return True
    return is_spelt(site) if has_places or marks else any(_is_named(text) for text in site.texts)


def _is_named(text: Text) -> bool:
    return any(token.text != "?" for token in _placeholders(text))


def _places(site: Site, driver: Driver) -> Iterator[tuple[Place, int]]:
    """Each placeholder in a literal that the driver gives a number, and that number."""
    for text in site.texts:
        spans = list(_spans(text))
        for number, token in _counted(text, driver):
            for piece, start, end in spans:
                if start <= token.start < end and isinstance(piece, Known):
                    literal = (piece.module, piece.node, piece.part)
                    yield (literal, piece.start + token.start - start), number


def _counted(text: Text, driver: Driver) -> Iterator[tuple[int, Token]]:
    """SQLAlchemy knows a value with a name by that name."""
    known: dict[str, int] = {}
    for place, token in enumerate(_placeholders(text)):
        if token.text == "?":
            yield place, token
        elif driver is Driver.ASYNCPG:
            yield known.setdefault(token.text, len(known)), token


def _placeholders(text: Text) -> list[Token]:
    """Empty where the text cannot be read."""
    try:
        return [token for token in tokens(text.filled(HOLE, "?")) if token.kind is TokenKind.PLACEHOLDER]
    except LexError:
        return []


def _spans(text: Text) -> Iterator[tuple[object, int, int]]:
    place = 0
    for piece in text.pieces:
        length = len(piece.text) if isinstance(piece, Known) else 1 if isinstance(piece, Marks) else len(HOLE)
        yield piece, place, place + length
        place += length
