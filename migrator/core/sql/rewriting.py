"""One statement of SQLite's → one of PostgreSQL's for a driver, or a finding that says why there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator.core.findings import Finding, Severity
from migrator.core.sql.advice import advice
from migrator.core.sql.given import argument_notes
from migrator.core.sql.lexer import Token, TokenKind, with_tokens
from migrator.core.sql.parsing import placeholder_text
from migrator.core.sql.placeholders import (
    Driver,
    PlaceholderError,
    Placeholders,
    Rendered,
    mark,
    read_placeholders,
    render,
)
from migrator.core.sql.query import Learned, Note, Surroundings
from migrator.core.sql.results import result_texts
from migrator.core.sql.scope import Kind, TableScope, Untranslatable
from migrator.core.sql.split import SourceStatement
from migrator.core.sql.statements import MIXED, is_always_real, translate_statement
from migrator.core.sql.unknown_tables import NOTE, without_tables
from migrator.core.sql.values import UNTYPED, Parameter, Value
from migrator.core.sql.wording import worded

# What it cannot parse it tells on stderr too.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False

_TYPES = {
    Kind.INTEGER: "bigint",
    Kind.REAL: "double precision",
    Kind.NUMERIC: "numeric",
    Kind.TEXT: "text",
    Kind.BLOB: "bytea",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
    Kind.UUID: "uuid",
    Kind.JSON: "json",
    Kind.JSONB: "jsonb",
    Kind.TEXT_ARRAY: "text[]",
}
_NUMBERS = {Kind.INTEGER, Kind.REAL, Kind.NUMERIC}
# Each of them PostgreSQL has in another way, or does not need.
_SETTINGS = {
    *("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "cache_size", "temp_store", "mmap_size"),
    *("page_size", "auto_vacuum", "encoding", "wal_autocheckpoint", "wal_checkpoint", "journal_size_limit"),
    *("locking_mode", "threads", "optimize", "recursive_triggers", "secure_delete", "automatic_index"),
    *("fullfsync", "checkpoint_fullfsync", "cell_size_check", "read_uncommitted"),
}
_LOCKING = (
    "SQLite lets one writer in from here on; PostgreSQL several. Where a value is read and then changed, say"
    " SELECT … FOR UPDATE, or SET TRANSACTION ISOLATION LEVEL SERIALIZABLE."
)
_IS_QUERY = ("SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Rewritten:
    """`output` is None where there is no faithful translation, and "" where nothing is to be executed any more.

    `expects` names the PostgreSQL type that each argument's value has to have, by its place or key in the new call.
    `results` are the values that it gives; `reals` the places of those that are a REAL in every row, also where the
    number is whole. `mixed`: a double among them may stand for an INTEGER. `ids` are the arguments that are ids of new
    rows. `unordered`: nothing says which of its rows comes first.
    """

    statement: SourceStatement
    output: str | None
    rendered: Rendered | None = None
    expects: Mapping[int | str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    results: tuple[Value, ...] = ()
    mixed: bool = False
    ids: tuple[int | str, ...] = ()
    unordered: bool = False
    reals: frozenset[int] = frozenset()


def rewrite(
    statement: SourceStatement,
    tables: Mapping[str, TableScope],
    driver: Driver,
    place: str,
    *,
    next_ids: bool = False,
) -> Rewritten:
    """`tables` is keyed by folded source names. `place` says where the statement stands, for its findings.

    `next_ids`: an argument that is the id of a new row may be NULL, and is the next id then.
    """
    if statement.error is not None:
        return declined(statement, place, "syntax", f"SQLite cannot read it: {statement.error}.")
    plain = _without_tables(statement)
    if plain is not None:
        output, rule, message = plain
        severity = Severity.WARNING if output is None else Severity.NOTE
        told = (finding_at(place, rule, message, statement, severity),) if rule else ()
        return Rewritten(statement, output, findings=told)
    if not statement.tokens[0].is_word(*_IS_QUERY):
        return declined(statement, place, "statement", f"{statement.tokens[0].text.upper()} is not translated.")
    notes: list[Note] = []
    learned = Learned()
    try:
        placeholders = read_placeholders(statement.tokens)
        parameters = {number: Parameter(number) for number in placeholders.numbers}
        text, resolution = readable(statement, placeholders)
        results = result_texts(statement.text, statement.tokens)
        around = Surroundings(tables, parameters, notes, learned=learned, next_ids=next_ids)
        sql, types = _translated(text, _marked(statement, placeholders), around, driver, resolution, results)
    except PlaceholderError as error:
        return declined(statement, place, "placeholder", f"{error}.")
    except Untranslatable as error:
        return declined(statement, place, error.rule, f"Not translated: {error}.", error.next_step)
    except Exception as error:  # noqa: BLE001 - one statement must not end the work on all others
        message = f"Not translated because of a defect of the migrator ({type(error).__name__}: {error})."
        return declined(statement, place, "defect", message, "Please report the statement.")
    if any(parameter.looks_matter for parameter in parameters.values()):
        notes.append(
            Note("numeric-text", "SQLite compares an argument that looks like a number, such as '2024', as one")
        )
    for note in argument_notes(parameters.values()):
        around.tell(note)
    rendered = render(sql, placeholders, driver)
    targets = {placeholders.source(number): kind for number, kind in types.items()}
    expects = {item.target: targets[item.source] for item in rendered.arguments if item.source in targets}
    found = tuple(_finding(place, note, statement) for note in notes)
    mixed = any(note.text == MIXED for note in notes)
    ids = tuple(map(placeholders.source, learned.ids))
    given = tuple(learned.results)
    reals = frozenset(place for place, value in enumerate(given) if is_always_real(value))
    return Rewritten(statement, rendered.sql, rendered, expects, found, given, mixed, ids, learned.unordered, reals)


def _without_tables(statement: SourceStatement) -> tuple[str | None, str, str] | None:
    """Output, rule and message of what needs no schema; None for anything else."""
    first = statement.tokens[0].text.upper()
    if first == "PRAGMA":
        if _SETTINGS.isdisjoint(token.text.lower() for token in statement.tokens[1:4]):
            return None, "pragma", "This PRAGMA asks SQLite something; PostgreSQL is asked through its catalog."
        return "", "pragma", "PRAGMAs are SQLite's own settings; this one goes."
    if first == "BEGIN":
        is_alone = len(statement.tokens) > 1 and statement.tokens[1].is_word("IMMEDIATE", "EXCLUSIVE")
        return "BEGIN", "locking" if is_alone else "", _LOCKING
    if first in ("COMMIT", "END"):
        return "COMMIT", "", ""
    if first in ("ROLLBACK", "SAVEPOINT", "RELEASE"):
        return statement.text, "", ""
    if first in ("VACUUM", "ANALYZE", "REINDEX"):
        return "", "maintenance", f"{first} is left to autovacuum."
    if first in ("ATTACH", "DETACH"):
        return None, "attach", "PostgreSQL has no second database in a connection: use schemas."
    return None


def _translated(
    text: str, written: str, around: Surroundings, driver: Driver, resolution: str | None, results: tuple[str, ...]
) -> tuple[str, dict[int, str]]:
    """The SQL with marks, and the types that arguments must have. Raises Untranslatable."""
    assert around.parameters is not None
    try:
        sql = translate_statement(text, around, resolution, results)
        sql, types = _settled(sql, around.parameters, driver)
        return worded(written, sql), types
    except Untranslatable as error:
        if error.rule != "no-table" or around.tables:
            raise
    found = without_tables(written, results)
    around.note("no-table", NOTE)
    return found, {}


def _marked(statement: SourceStatement, placeholders: Placeholders) -> str:
    """The statement with the placeholders that its translation has."""
    numbers = iter(placeholders.numbers)
    found = (token for token in statement.tokens if token.kind is TokenKind.PLACEHOLDER)
    return with_tokens(statement.text, {token: mark(next(numbers)) for token in found})


def readable(statement: SourceStatement, placeholders: Placeholders) -> tuple[str, str | None]:
    """What sqlglot can parse, and the word behind OR, which it cannot in every place."""
    tokens, numbers = statement.tokens, iter(placeholders.numbers)
    new = {token: placeholder_text(next(numbers)) for token in tokens if token.kind is TokenKind.PLACEHOLDER}
    resolution = None
    verb = _verb(tokens)
    if verb is not None and tokens[verb].is_word("REPLACE"):
        resolution, new[tokens[verb]] = "REPLACE", "INSERT"
    elif verb is not None and [token.text.upper() for token in tokens[verb + 1 : verb + 2]] == ["OR"]:
        resolution = tokens[verb + 2].text.upper() if len(tokens) > verb + 2 else ""
        new |= dict.fromkeys(tokens[verb + 1 : verb + 3], "")
    return with_tokens(statement.text, new), resolution


def _verb(tokens: Sequence[Token]) -> int | None:
    """The place of INSERT, REPLACE or UPDATE: the first word, or behind WITH the first one outside parentheses."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += token.is_operator("(") - token.is_operator(")")
        if depth == 0 and token.is_word("INSERT", "REPLACE", "UPDATE"):
            return place if place == 0 or tokens[0].is_word("WITH") else None
    return None


def _settled(sql: str, parameters: Mapping[int, Parameter], driver: Driver) -> tuple[str, dict[int, str]]:
    """Types for the placeholders that had none in their place, and all that are known. Raises Untranslatable."""
    types = {}
    for number, parameter in parameters.items():
        kinds = parameter.kinds
        if len(kinds) > 1 and (driver is Driver.ASYNCPG or parameter.fixed or kinds - _NUMBERS):
            raise Untranslatable("one argument in places of several types", "placeholder-types")
        if kinds:
            # An integer is right in the place of every number.
            types[number] = _TYPES[next(iter(kinds)) if len(kinds) == 1 else Kind.INTEGER]
        sent = {"boolean": "int"}.get(types.get(number, "text"), types.get(number, "text"))
        sql = sql.replace(f"{mark(number)}::{UNTYPED}", f"{mark(number)}::{sent}")
    return sql, types


def declined(statement: SourceStatement, place: str, rule: str, message: str, next_step: str = "") -> Rewritten:
    return Rewritten(statement, None, findings=(finding_at(place, rule, message, statement, next_step=next_step),))


def _finding(place: str, note: Note, statement: SourceStatement) -> Finding:
    severity = Severity.WARNING if note.warns else Severity.NOTE
    return replace(finding_at(place, note.rule, f"{note.text}.", statement, severity), next_step=note.next_step)


def finding_at(
    place: str,
    rule: str,
    message: str,
    statement: SourceStatement,
    severity: Severity = Severity.WARNING,
    next_step: str = "",
) -> Finding:
    next_step = next_step or ("" if severity is Severity.NOTE else advice(rule))
    return Finding(rule, severity, f"{place}:{statement.line}", message, next_step, statement.text)
