"""SQL on its way to the database: what a call of the program sends, and the statements of its scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrator.core.audit.touched import HOLE, Touched, touched_by_statements
from migrator.core.python.sites import Site
from migrator.core.python.texts import Texts
from migrator.core.sql.split import SourceStatement, split

FILE = "<file>"  # the function that a script's statements stand in


@dataclass(frozen=True)
class Script:
    """A file of SQL; `name` is its path from the root."""

    name: str
    text: str


@dataclass(frozen=True, order=True)
class Place:
    file: str
    line: int
    function: str


@dataclass(frozen=True, eq=False)
class Sent:
    """`statements` are those of every variant, each once; `site` is the call, None in a script."""

    place: Place
    statements: tuple[SourceStatement, ...]
    touched: Touched
    site: Site | None = None


def sent_by(site: Site) -> Sent:
    scope = site.scope
    place = Place(scope.module.path.as_posix(), site.call.line, scope.function.name)
    return _sent(place, statements_of(site.texts), site)


def statements_of(texts: Texts) -> Iterable[SourceStatement]:
    """Those of every variant, each once."""
    filled = dict.fromkeys(text.filled(HOLE) for text in texts)
    return {statement.text: statement for text in filled for statement in split(text)}.values()


def sent_in(script: Script) -> Iterator[Sent]:
    for statement in split(script.text):
        yield _sent(Place(script.name, statement.line, FILE), [statement])


def _sent(place: Place, statements: Iterable[SourceStatement], site: Site | None = None) -> Sent:
    found = tuple(statements)
    return Sent(place, found, touched_by_statements(found), site)
