"""The SQL of a program's calls → changes in its literals and arguments, or findings that say why there are none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.core.findings import Finding
from migrator.core.names import quote_identifier
from migrator.core.python.sites import Site
from migrator.core.python.texts import Hole, Known, Marks, Text
from migrator.core.recoding.arguments import Given, Reshaped, reshape
from migrator.core.recoding.edits import TextEdit
from migrator.core.recoding.places import finding, place_of
from migrator.core.recoding.respelling import Literals, Scattered, Wanted, changes, in_literals
from migrator.core.redefining import Definitions
from migrator.core.sql.lexer import LexError, TokenKind, tokens
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten
from migrator.core.sql.split import SourceStatement, split

HOLE = "migrator_hole"
_ONE_OF = re.compile(r"(\bNOT\s+)?\bIN\s*\(\s*(%s|\?)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Translated:
    """One variant of a site's text: the changes in it, and what became of its statements."""

    text: Text
    changes: tuple[TextEdit, ...]
    results: tuple[Rewritten, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is left to execute."""
        return bool(self.results) and all(result.output == "" for result in self.results)


@dataclass(frozen=True)
class Recoded:
    """What is to be done at a site. `wanted` is None where nothing is; `goes` where the call is not needed any more."""

    site: Site
    wanted: Wanted | None = None
    goes: bool = False
    marks: tuple[Marks, ...] = ()
    arguments: Reshaped | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Statements:
    definitions: Definitions
    driver: Driver
    literals: Literals
    returning: Mapping[Site, str]  # INSERTs that have to give a column of their row

    def recode(self, site: Site, given: Given) -> Recoded:
        """Never changes a part of a statement: all of its literals and arguments, or nothing."""
        if all(text.is_hole for text in site.texts):
            return self._declined(site, "unknown-sql", "The SQL that is sent here is not known.")
        if any(text.holes for text in site.texts):
            return self._with_holes(site)
        variants = [self._translated(site, text, given) for text in site.texts]
        findings = tuple(
            dict.fromkeys(found for item in variants for result in item.results for found in result.findings)
        )
        if any(result.output is None for item in variants for result in item.results):
            return Recoded(site, findings=findings)
        if all(item.is_nothing for item in variants):
            return Recoded(site, {}, goes=True, findings=findings)
        marks = tuple(dict.fromkeys(piece for text in site.texts for piece in text.pieces if isinstance(piece, Marks)))
        arguments = reshape(given, [item.results for item in variants], marks)
        if arguments is None:
            return self._declined(site, "arguments", "What its arguments are is not known well enough to reorder them.")
        return self._take(site, variants, marks, arguments, findings)

    def _take(
        self,
        site: Site,
        variants: Sequence[Translated],
        marks: tuple[Marks, ...],
        arguments: Reshaped | None,
        findings: tuple[Finding, ...],
    ) -> Recoded:
        try:
            wanted = in_literals([(item.text, item.changes) for item in variants], HOLE)
        except Scattered as error:
            return self._declined(site, "dynamic-sql", f"{error}.".capitalize())
        if not self.literals.take(wanted):
            return self._declined(
                site, "dynamic-sql", "A part of it is also part of another statement, which needs it otherwise."
            )
        return Recoded(site, wanted, marks=marks, arguments=arguments, findings=findings)

    # -- one variant ---------------------------------------------------------------------------------------------------

    def _translated(self, site: Site, text: Text, given: Given) -> Translated:
        source = text.filled("", "?")
        found: list[TextEdit] = []
        results = []
        place = 0
        for statement in split(source):
            start = source.index(statement.text, place)
            place = start + len(statement.text)
            asked = self._asked(site, statement)
            result = self.definitions.rewritten(asked, self.driver, "")
            results.append(
                replace(result, findings=tuple(replace(item, where=place_of(site)) for item in result.findings))
            )
            found += _moved(self._changes(text, statement, result, given, source), start)
        return Translated(text, tuple(found), tuple(results))

    def _asked(self, site: Site, statement: SourceStatement) -> SourceStatement:
        """The statement, with RETURNING where the program asks for the id of the new row."""
        if site not in self.returning or any(token.is_word("RETURNING") for token in statement.tokens):
            return statement
        column = quote_identifier(self.returning[site])
        return next(split(f"{statement.text} RETURNING {column}"))

    def _changes(
        self, text: Text, statement: SourceStatement, result: Rewritten, given: Given, source: str
    ) -> Iterator[TextEdit]:
        if result.output is None:
            return
        output = result.output
        if self.driver is Driver.PSYCOPG and given.passed and not (result.rendered and result.rendered.arguments):
            output = output.replace("%", "%%")
        if any(isinstance(piece, Marks) for piece in text.pieces):
            output = _with_any(output, _marked(text, statement))
        if not output:
            behind = re.match(r"\s*;", source[len(statement.text) :])
            yield TextEdit(0, len(statement.text) + (behind.end() if behind else 0), "")
        elif statement.begins_with("CREATE") or statement.begins_with("DROP"):
            if changes(statement.text, output):
                yield TextEdit(0, len(statement.text), output)
        else:
            yield from changes(statement.text, output)

    # -- texts that are not known --------------------------------------------------------------------------------------

    def _with_holes(self, site: Site) -> Recoded:
        """The placeholders alone: without them the call could not work at all. That is said, and the rest is open."""
        if any(isinstance(piece, Marks) for text in site.texts for piece in text.pieces):
            return self._declined(site, "dynamic-sql", "What is put into this SQL is not known.")
        holes = dict.fromkeys(ast.unparse(hole.node) for text in site.texts for hole in text.holes)
        why = f"What {', '.join(holes)} puts into this SQL is not known; only its placeholders were rewritten."
        try:
            variants = [Translated(text, tuple(self._placeholders(text.filled(HOLE, "?"))), ()) for text in site.texts]
        except LexError as error:
            return self._declined(site, "dynamic-sql", f"{error}.")
        taken = self._take(site, variants, (), None, ())
        return taken if taken.wanted is None else replace(taken, findings=(finding(site, "dynamic-sql", why),))

    def _placeholders(self, sql: str) -> Iterator[TextEdit]:
        for token in tokens(sql):
            if token.kind is TokenKind.PLACEHOLDER and self.driver is Driver.PSYCOPG:
                new = "%s" if token.text == "?" else f"%({token.text[1:]})s"
                yield TextEdit(token.start, token.end, new)
            elif "%" in token.text and self.driver is Driver.PSYCOPG:
                yield TextEdit(token.start, token.end, token.text.replace("%", "%%"))

    def _declined(self, site: Site, rule: str, message: str) -> Recoded:
        return Recoded(site, findings=(finding(site, rule, message),))


def _moved(edits: Iterator[TextEdit], by: int) -> list[TextEdit]:
    return [TextEdit(edit.start + by, edit.end + by, edit.new) for edit in edits]


# -- lists of values ---------------------------------------------------------------------------------------------------


def _marked(text: Text, statement: SourceStatement) -> list[bool]:
    """For each `IN (?)` of the statement, whether its placeholder stands for a list."""
    places = {place for piece, place in _places(text) if isinstance(piece, Marks)}
    offset = text.filled("", "?").find(statement.text)
    return [offset + match.start(2) in places for match in _ONE_OF.finditer(statement.text)]


def _places(text: Text) -> Iterator[tuple[Known | Marks | Hole, int]]:
    place = 0
    for piece in text.pieces:
        yield piece, place
        place += len(piece.text) if isinstance(piece, Known) else 1


def _with_any(output: str, marked: Sequence[bool]) -> str:
    """`x IN (%s)` for a list → `x = ANY(?)`: one argument however long the list is, and right for an empty one.

    The `?` stands for the expression that makes the placeholders; it is changed by itself.
    """
    remaining = iter(marked)

    def written(match: re.Match[str]) -> str:
        if not next(remaining, False):
            return match.group()
        return "<> ALL(?)" if match[1] else "= ANY(?)"

    return _ONE_OF.sub(written, output)
