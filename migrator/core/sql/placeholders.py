"""Placeholders: SQLite's five spellings → those of psycopg, asyncpg and SQLAlchemy's text().

`?` is the number after the highest so far, `?NNN` the number NNN, and `:a`, `@a` and `$a` take the next number where
they stand first: https://www.sqlite.org/lang_expr.html#parameters. While a statement is translated each is a mark that
no text of SQL looks like. What becomes of it is decided last: then it is known in which order and how often it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.core.sql.lexer import Token, TokenKind

MARK_BEGIN, MARK_END = "\ue000", "\ue001"  # letters to SQLite, so a name that holds one has to be quoted
MOST = 32_766  # SQLITE_MAX_VARIABLE_NUMBER since 3.32; a `?NNN` beyond it is an error

_MARK = re.compile(f"{MARK_BEGIN}([0-9]+){MARK_END}")
_COMMENT = r"--[^\n]*|/\*.*?\*/"
_PIECES = re.compile(rf"{_MARK.pattern}|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|{_COMMENT}", re.DOTALL)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What SQLAlchemy takes for a placeholder in a text, and from what it takes a backslash away.
_BOUND_BY_SQLALCHEMY = re.compile(r"(?<![:\w\\]):(\w+)(?!:)|\\(:[\w$]*)(?![:\w$])")
_BEFORE_A_NAME = re.compile(r"(?<![:\w\\]):(?=\w)")


class Driver(StrEnum):
    """Whose placeholders are written."""

    PSYCOPG = "psycopg"  # %s and %(name)s
    ASYNCPG = "asyncpg"  # $1
    SQLALCHEMY = "sqlalchemy"  # :name in text()


class PlaceholderError(ValueError):
    """SQLite refuses this placeholder; the message says why."""


@dataclass(frozen=True)
class Argument:
    """One value of the call: where it stood, and where it stands now: a place from 0, or a key."""

    source: int | str
    target: int | str


@dataclass(frozen=True)
class Rendered:
    """A statement for a driver. No arguments: it is to be executed without any, and its % are single."""

    sql: str
    arguments: tuple[Argument, ...]

    @property
    def by_name(self) -> bool:
        """Whether the driver wants a mapping, or the arguments in order."""
        return bool(self.arguments) and isinstance(self.arguments[0].target, str)


@dataclass(frozen=True)
class Placeholders:
    """The placeholders of one statement. `numbers` stand in its order, `names` has those that were written with one."""

    numbers: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def positional(self) -> bool:
        """Whether Python's sqlite3 takes a sequence: one without a name cannot be found in a mapping."""
        return any(number not in self.names for number in self.numbers)

    def source(self, number: int) -> int | str:
        """Where the value stands in the call: the place from 0, or the key."""
        return number - 1 if self.positional else self.names[number]


def read_placeholders(tokens: Iterable[Token]) -> Placeholders:
    """Raises PlaceholderError."""
    numbers: list[int] = []
    by_name: dict[str, int] = {}
    highest = 0
    for token in tokens:
        if token.kind is not TokenKind.PLACEHOLDER:
            continue
        number = _number(token.text, highest, by_name)
        highest = max(highest, number)
        numbers.append(number)
    return Placeholders(tuple(numbers), {number: text[1:] for text, number in by_name.items()})


def _number(text: str, highest: int, by_name: dict[str, int]) -> int:
    if text.startswith("#"):
        raise PlaceholderError(f"{text} is no placeholder that SQLite lets anybody use")
    number = int(text[1:]) if text[0] == "?" and len(text) > 1 else by_name.get(text, highest + 1)
    if not 1 <= number <= MOST:
        raise PlaceholderError(f"{text} is not between ?1 and ?{MOST}")
    if text[0] != "?":
        by_name[text] = number
    return number


def mark(number: int) -> str:
    """What stands for that placeholder in PostgreSQL's SQL until it is rendered."""
    return f"{MARK_BEGIN}{number}{MARK_END}"


def marked(sql: str) -> int | None:
    """The number of the placeholder that this is, and nothing else."""
    found = _MARK.fullmatch(sql)
    return int(found[1]) if found else None


def render(sql: str, placeholders: Placeholders, driver: Driver) -> Rendered:
    """PostgreSQL's SQL with marks → what the driver is given, and which argument goes where."""
    used = [int(found[1]) for found in _PIECES.finditer(sql) if found[1]]
    if not used and driver is not Driver.SQLALCHEMY:
        return Rendered(sql, ())  # executed without arguments, it is taken as it is
    style = _style(used, placeholders, driver)
    pieces, place = [], 0
    for found in _PIECES.finditer(sql):
        pieces.append(_plain(sql[place : found.start()], driver))
        written = style[int(found[1])][0] if found[1] else _quoted(found.group(), driver)
        # SQLAlchemy takes :a::text for no placeholder.
        pieces.append(f"({written})" if found[1] and written[0] == ":" == sql[found.end() :][:1] else written)
        place = found.end()
    pieces.append(_plain(sql[place:], driver))
    arguments = (Argument(placeholders.source(number), target) for number, (_, target) in style.items())
    return Rendered("".join(pieces), tuple(arguments))


def _style(used: Sequence[int], placeholders: Placeholders, driver: Driver) -> dict[int, tuple[str, int | str]]:
    """Number → what is written for it, and where its value goes."""
    numbers = sorted(set(used))
    if driver is Driver.ASYNCPG:
        return {number: (f"${place + 1}", place) for place, number in enumerate(numbers)}
    if driver is Driver.PSYCOPG and placeholders.positional and list(used) == numbers:
        return {number: ("%s", place) for place, number in enumerate(numbers)}
    names = _names(numbers, placeholders)
    written = "%({})s" if driver is Driver.PSYCOPG else ":{}"
    return {number: (written.format(name), name) for number, name in names.items()}


def _names(numbers: Sequence[int], placeholders: Placeholders) -> dict[int, str]:
    """A name of letters, digits and _ for each, the placeholder's own where it is one already."""
    named = {} if placeholders.positional else placeholders.names
    own = {number: named[number] for number in numbers if number in named and _PLAIN_NAME.fullmatch(named[number])}
    # `:a` and `@a` have a number each, and Python finds the same value for both.
    taken = set(own.values())
    found = dict(own)
    for number in numbers:
        if number in found:
            continue
        wanted = re.sub(r"\W+", "_", named.get(number, ""), flags=re.ASCII).strip("_")
        name = f"p{number}" if not wanted or wanted[0].isdigit() else wanted
        while name in taken:
            name += "_"
        taken.add(name)
        found[number] = name
    return dict(sorted(found.items()))


# -- what only looks like a placeholder --------------------------------------------------------------------------------


def _plain(sql: str, driver: Driver) -> str:
    return sql.replace("%", "%%") if driver is Driver.PSYCOPG else sql


def _quoted(text: str, driver: Driver) -> str:
    """A string, a quoted name or a comment, written so that the driver sees nothing of its own in it."""
    if driver is Driver.PSYCOPG:
        return text.replace("%", "%%")
    if driver is Driver.SQLALCHEMY and text[0] in "-/":
        return _BEFORE_A_NAME.sub(r"\\:", text)
    if driver is Driver.SQLALCHEMY and _BOUND_BY_SQLALCHEMY.search(text):
        if text.startswith('"'):
            body = text[1:-1].replace("\\", "\\\\").replace(":", "\\003A")
            return f'U&"{body}"'
        body = text[1:-1].replace("\\", "\\\\").replace(":", "\\x3a")
        return f"E'{body}'"
    return text
