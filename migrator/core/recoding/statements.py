"""The SQL of a program's calls → changes in its literals and arguments, or findings that say why there are none."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator.core.audit.touched import HOLE
from migrator.core.findings import Finding, Severity
from migrator.core.names import quote_identifier
from migrator.core.python.sites import Site
from migrator.core.python.texts import Hole, Known, Marks, Text
from migrator.core.recoding.arguments import Given, Reshaped, as_lists, bytes_for_texts, may_be_none, reshape
from migrator.core.recoding.calls import makes_objects
from migrator.core.recoding.edits import TextEdit
from migrator.core.recoding.places import finding, place_of
from migrator.core.recoding.respelling import Literals, Scattered, Wanted, by_literal, changes, divided, in_literals
from migrator.core.recoding.spellings import USUAL, Spellings, severity_of
from migrator.core.recoding.target import Target
from migrator.core.recoding.values import HOLE_LENGTH, parametrised
from migrator.core.redefining import Definitions
from migrator.core.sql.given import COLUMN_TYPE
from migrator.core.sql.lexer import LexError, Token, TokenKind, tokens
from migrator.core.sql.placeholders import Driver, Rendered
from migrator.core.sql.rewriting import Rewritten
from migrator.core.sql.split import SourceStatement, split

_BEGINS_INSERT = re.compile(r"\s*(INSERT|REPLACE|WITH)\b", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*id|id")
_EMPTY_LIST = (
    "IN () with an empty list finds nothing in SQLite, and is an error in PostgreSQL: ask whether there are any."
)
_ONE_OF = re.compile(r"(\bNOT\s+)?\bIN\s*\(\s*(%s|\?|\$\d+|:\w+)\s*\)", re.IGNORECASE)


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
    marks: Mapping[Marks, str] = field(default_factory=dict)  # "one" placeholder for all, or one for "each"
    without: tuple[Hole | Marks, ...] = ()
    arguments: Reshaped | None = None
    around: str = "{}"  # what is written around the SQL
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Statements:
    definitions: Definitions
    target: Target
    literals: Literals
    returning: Mapping[Site, str]  # INSERTs that have to give a column of their row
    known: dict[tuple[str, Driver, bool], Rewritten] = field(default_factory=dict)
    spellings: Spellings = USUAL
    unordered: dict[Site, None] = field(default_factory=dict)  # those whose rows have no order
    unsure: set[ast.expr] = field(default_factory=set)  # literals of INSERTs whose id may be None

    def learn_ids(self, site: Site, given: Given, driver: Driver) -> None:
        """Whether a statement inserts ids that may be None: whoever shares its text gets the same translation of it."""
        for text in site.texts:
            if text.holes or not _BEGINS_INSERT.match(text.filled("", "?")):
                continue
            for statement in split(text.filled("", "?")):
                result = self._result(self._asked(site, statement), driver, next_ids=False)
                if any(may_be_none(given, source) for source in result.ids):
                    self.unsure.update(piece.node for piece in text.pieces if isinstance(piece, Known))

    def recode(self, site: Site, given: Given, driver: Driver) -> Recoded:
        """Never changes a part of a statement: all of its literals and arguments, or nothing.

        `driver` says whose placeholders are written: the target's, or psycopg's for values that are counted late.
        """
        given = self._for(driver, given)
        if all(text.is_hole for text in site.texts):
            return self._declined(site, "unknown-sql", "The SQL that is sent here is not known.")
        if any(text.holes for text in site.texts):
            return self._with_holes(site, given)
        marks = tuple(dict.fromkeys(piece for text in site.texts for piece in text.pieces if isinstance(piece, Marks)))
        listed = as_lists(given, marks) is not None
        variants = [self._translated(site, text, replace(given, listed=listed)) for text in site.texts]
        findings = tuple(dict.fromkeys(_findings(site, given, variants)))
        if any(result.output is None for item in variants for result in item.results):
            return Recoded(site, findings=findings)
        if all(item.is_nothing for item in variants):
            return Recoded(site, {}, goes=True, findings=findings)
        arguments = reshape(given, [item.results for item in variants], marks)
        if given.driver is not self.target.driver and _by_name(variants):
            # One value in several places has to have a number or a name.
            return self.recode(site, given, self.target.driver)
        if arguments is None:
            return self._declined(site, "arguments", "What its arguments are is not known well enough to reorder them.")
        try:
            parts = in_literals([(item.text, item.changes) for item in variants])
        except Scattered as error:
            return self._declined(site, "dynamic-sql", f"{error}.".capitalize())
        taken = self._take(site, [by_literal(parts.changes)])
        if taken.wanted is None:
            return taken
        if marks and not listed:
            findings += (finding(site, "empty-list", _EMPTY_LIST, Severity.NOTE),)
        changed = {mark: "one" if listed else "each" for mark in marks if mark.within is None or not listed}
        return replace(
            taken, marks=changed, without=parts.without, arguments=arguments, around=given.around, findings=findings
        )

    def _for(self, driver: Driver, given: Given) -> Given:
        return replace(given, driver=driver, around="{}" if driver is self.target.driver else self.target.in_order)

    def _take(self, site: Site, parts: Sequence[Wanted]) -> Recoded:
        wanted: Wanted = {}
        for part in parts:
            if any(wanted.get(key, edits) != edits for key, edits in part.items()):
                return self._declined(site, "dynamic-sql", "A part of it would have to be changed in one case only.")
            wanted.update(part)
        if not self.literals.take(wanted):
            return self._declined(site, "dynamic-sql", "A part of it is also part of another statement, unchanged.")
        return Recoded(site, wanted)

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
            unsure = any(isinstance(piece, Known) and piece.node in self.unsure for piece in text.pieces)
            result = self._result(asked, given.driver, next_ids=unsure)
            if result.unordered:
                self.unordered[site] = None
            results.append(replace(result, findings=tuple(self._told(site, statement, result))))
            found += _moved(self._changes(text, statement, result, given, source), start)
        return Translated(text, tuple(found), tuple(results))

    def _told(self, site: Site, statement: SourceStatement, result: Rewritten) -> Iterator[Finding]:
        """At the place of the call; where its text is not always one, each says which it is of."""
        which = f" In: {textwrap.shorten(statement.text, 80, placeholder=' …')}" if len(site.texts) > 1 else ""
        for item in result.findings:
            yield replace(item, where=place_of(site), message=f"{item.message}{which}")
        objects = bool(site.of) and all(made.origin is not None and makes_objects(made.origin.node) for made in site.of)
        for note in (note for value in result.results for note in self.spellings.result_notes(value, objects=objects)):
            said = finding(site, note.rule, f"{note.text}.", severity_of(note))
            yield replace(said, next_step=note.next_step)

    def _result(self, statement: SourceStatement, driver: Driver, *, next_ids: bool) -> Rewritten:
        """Each text is translated once, but what defines something: that depends on what has been made before."""
        if statement.begins_with("CREATE") or statement.begins_with("DROP"):
            return self.definitions.rewritten(statement, driver, "")
        key = (statement.text, driver, next_ids)
        if key not in self.known:
            self.known[key] = self.definitions.rewritten(statement, driver, "", next_ids=next_ids)
        return self.known[key]

    def _asked(self, site: Site, statement: SourceStatement) -> SourceStatement:
        """The statement, with RETURNING where the program asks for the id of the new row."""
        if site not in self.returning or any(token.is_word("RETURNING") for token in statement.tokens):
            return statement
        name = self.returning[site]
        column = name if _PLAIN.fullmatch(name) else quote_identifier(name)
        return next(split(f"{statement.text} RETURNING {column}"))

    def _changes(
        self, text: Text, statement: SourceStatement, result: Rewritten, given: Given, source: str
    ) -> Iterator[TextEdit]:
        if result.output is None:
            return
        output = result.output
        if given.doubles and not (result.rendered and result.rendered.arguments):
            output = output.replace("%", "%%")
        if any(isinstance(piece, Marks) for piece in text.pieces):
            output = _with_lists(output, _marked(text, statement), given.listed)
        if not output:
            behind = re.match(r"\s*;", source[len(statement.text) :])
            yield TextEdit(0, len(statement.text) + (behind.end() if behind else 0), "")
        elif statement.begins_with("CREATE") or statement.begins_with("DROP"):
            if changes(statement.text, output):
                yield TextEdit(0, len(statement.text), output)
        else:
            yield from changes(statement.text, output)

    # -- texts that are not known --------------------------------------------------------------------------------------

    def _with_holes(self, site: Site, given: Given) -> Recoded:
        """Values become arguments. Of anything else the placeholders alone are changed, without which nothing works."""
        if any(isinstance(piece, Marks) for text in site.texts for piece in text.pieces):
            return self._declined(site, "dynamic-sql", "What is put into this SQL is not known.")
        found = self._with_values(site, given) if len(site.texts) == 1 else None
        if found is not None:
            return found
        holes = ", ".join(dict.fromkeys(ast.unparse(hole.node) for text in site.texts for hole in text.holes))
        why = f"What {holes} puts into this SQL is not known; only its placeholders were rewritten."
        filled = [text.filled(HOLE, "?") for text in site.texts]
        named = any(token.text != "?" for sql in filled for token in _asked_for(sql))
        if named and self.target.driver is Driver.ASYNCPG:
            return self._declined(site, "dynamic-sql", f"What {holes} puts into this SQL is not known.")
        given = self._for(self.target.driver if named else Driver.PSYCOPG, given)
        try:
            edits = [tuple(_placeholders(sql, given)) for sql in filled]
            pieces = [divided(text, mine, len(HOLE)) for text, mine in zip(site.texts, edits, strict=True)]
        except (LexError, Scattered) as error:
            return self._declined(site, "dynamic-sql", f"{error}.".capitalize())
        if any(item.without for item in pieces):
            return self._declined(site, "dynamic-sql", why)
        taken = self._take(site, [by_literal(item.changes) for item in pieces])
        said = (finding(site, "dynamic-sql", why),)
        return replace(taken, around=given.around, findings=said) if taken.wanted is not None else taken

    def _with_values(self, site: Site, given: Given) -> Recoded | None:
        [text] = site.texts
        values = parametrised(text)
        arguments = values.arguments(given.node) if values is not None and not given.many else None
        if values is None or arguments is None:
            return None
        [*statements] = split(values.sql)
        result = self._result(statements[0], given.driver, next_ids=True) if len(statements) == 1 else None
        if result is None or result.output is None or result.rendered is None:
            return None
        if result.rendered.by_name:
            if given.driver is not Driver.SQLALCHEMY:
                return None
            arguments = _with_names(arguments, result.rendered)
        try:
            parts = divided(text, changes(values.filled, result.output), HOLE_LENGTH)
        except Scattered:
            return None
        taken = self._take(site, [by_literal(parts.changes)])
        said = finding(site, "values", "Values that were put into this SQL are arguments now.", Severity.NOTE)
        return replace(
            taken,
            without=parts.without,
            arguments=Reshaped(whole=arguments),
            around=given.around,
            findings=(said, *self._told(site, statements[0], result)),
        )

    @staticmethod
    def _declined(site: Site, rule: str, message: str) -> Recoded:
        return Recoded(site, findings=(finding(site, rule, message),))


def _findings(site: Site, given: Given, variants: Sequence[Translated]) -> Iterator[Finding]:
    yield from (found for item in variants for result in item.results for found in result.findings)
    if any(bytes_for_texts(given, item.results) for item in variants):
        yield finding(site, COLUMN_TYPE, "bytes go into a column of texts, and are one there: '\\x61'.")


def _by_name(variants: Sequence[Translated]) -> bool:
    """Whether a value is needed in several places, or by its name."""
    return any(result.rendered is not None and result.rendered.by_name for item in variants for result in item.results)


def _with_names(arguments: str, rendered: Rendered) -> str:
    """The source of a tuple → that of a dict with the names of the placeholders."""
    values = ast.parse(arguments, mode="eval").body
    assert isinstance(values, ast.Tuple)
    names = {item.source: item.target for item in rendered.arguments}
    pairs = (f'"{names[place]}": {ast.unparse(value)}' for place, value in enumerate(values.elts))
    return f"{{{', '.join(pairs)}}}"


def _asked_for(sql: str) -> list[Token]:
    """The placeholders of a text, or none where it cannot be read."""
    try:
        return [token for token in tokens(sql) if token.kind is TokenKind.PLACEHOLDER]
    except LexError:
        return []


def _placeholder(text: str, driver: Driver) -> str:
    if driver is Driver.SQLALCHEMY:
        return f":{text[1:]}"
    return "%s" if text == "?" else f"%({text[1:]})s"


def _placeholders(sql: str, given: Given) -> Iterator[TextEdit]:
    """The spelling of the placeholders alone. Raises LexError."""
    for token in tokens(sql):
        if token.kind is TokenKind.PLACEHOLDER:
            yield TextEdit(token.start, token.end, _placeholder(token.text, given.driver))
        elif "%" in token.text and given.doubles:
            # One by one: what is put in stands between them.
            places = (token.start + place for place, character in enumerate(token.text) if character == "%")
            yield from (TextEdit(place, place + 1, "%%") for place in places)


def _moved(edits: Iterator[TextEdit], by: int) -> list[TextEdit]:
    return [TextEdit(edit.start + by, edit.end + by, edit.new) for edit in edits]


# -- lists of values ---------------------------------------------------------------------------------------------------


def _marked(text: Text, statement: SourceStatement) -> list[Marks | None]:
    """For each `IN (?)` of the statement, what makes its placeholders if it is for a list."""
    places = {place: piece for piece, place in _places(text) if isinstance(piece, Marks)}
    offset = text.filled("", "?").find(statement.text)
    return [places.get(offset + match.start(2)) for match in _ONE_OF.finditer(statement.text)]


def _places(text: Text) -> Iterator[tuple[Known | Marks | Hole, int]]:
    place = 0
    for piece in text.pieces:
        yield piece, place
        place += len(piece.text) if isinstance(piece, Known) else 1


def _with_lists(output: str, marked: Sequence[Marks | None], listed: bool) -> str:
    """`x IN (%s)` for a list → `x = ANY(%s)`: one argument however long the list is, and right for an empty one.

    A `?` is left where what makes the placeholders stays, and is changed by itself.
    """
    remaining = iter(marked)

    def written(match: re.Match[str]) -> str:
        marks = next(remaining, None)
        if marks is None:
            return match.group()
        if not listed:
            return f"{match[1] or ''}IN (?)"
        placeholder = match[2] if marks.within else "?"
        return f"<> ALL({placeholder})" if match[1] else f"= ANY({placeholder})"

    return _ONE_OF.sub(written, output)
