"""A statement of SQLite's with the types of its arguments → what is sent again and again, or why there is none."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import NoReturn

from migrator.adapter.arguments import OIDS, TEXT_OID, Encoder, Plain, encoder, literal
from migrator.adapter.known import Known
from migrator.adapter.shadow import Compiled
from migrator.adapter.statements import Sorted
from migrator.core.convert import Unfit
from migrator.core.model import fold
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.plan import ColumnPlan
from migrator.core.sql.lexer import TokenKind, with_tokens
from migrator.core.sql.placeholders import Driver, Rendered, read_placeholders
from migrator.core.sql.rewriting import Rewritten, rewrite
from migrator.core.sql.split import SourceStatement, split

PACK = "The target lacks the functions that this statement needs: migrator rewrite functions prints them."
_PLACES = re.compile(r"%s|%\((\w+)\)s|%%")


@dataclass(frozen=True)
class Rowid:
    """How a statement's last rowid gets known: columns that its RETURNING has more, behind those of its own.

    `column` None says that the table has rows without one that is carried. `telling` is a second column more: whether
    the row is new. `sequence_of` is the table whose sequence has to follow an id that was given.
    """

    column: str | None
    telling: bool = False
    sequence_of: str | None = None

    @property
    def hidden(self) -> int:
        return 0 if self.column is None else 1 + self.telling


@dataclass(frozen=True, eq=False)
class Translated:
    """`text` is SQLite's, `alone` lacks the RETURNING that is not the application's.

    `parameters` are names by number, None for `?`; `sources` the places among them of the values that are sent.
    `columns` is what it reads and writes. `gives_id`: SQLite may make something else of a NULL, so a literal says it.
    `spelled`: all values are written into the statement. `mixed`: a double may stand for an INTEGER of SQLite's.
    """

    text: str
    parameters: tuple[str | None, ...]
    sql: bytes
    alone: bytes
    sources: tuple[int, ...]
    encoders: tuple[Encoder, ...]
    oids: tuple[int, ...]
    formats: tuple[int, ...] | None
    writes: bool
    begins: bool
    columns: tuple[ColumnPlan, ...]
    names: tuple[str, ...] | None
    rowid: Rowid | None
    mixed: bool
    spelled: bool = False

    @cached_property
    def hidden(self) -> int:
        """How many columns of a result are ours."""
        return self.rowid.hidden if self.rowid else 0

    @cached_property
    def gives_id(self) -> bool:
        return self.rowid is not None and self.rowid.sequence_of is not None

    def encoded(self, values: Sequence[Plain]) -> list[bytes | None]:
        """Raises Unfit."""
        if self.spelled:
            raise Unfit("a value where nothing says of which type it is")
        if self.gives_id and any(values[source] is None for source in self.sources):
            raise Unfit("a NULL, of which SQLite makes the next id")
        return [
            None if (value := values[source]) is None or value != value else encode(value)
            for source, encode in zip(self.sources, self.encoders, strict=True)
        ]

    def unfitting(self, values: Sequence[Plain]) -> list[int]:
        """The places of the values that encoded() does not take."""
        return [
            source
            for source, encode in zip(self.sources, self.encoders, strict=True)
            if not self._takes(encode, values[source])
        ]

    def _takes(self, encode: Encoder, value: Plain) -> bool:
        if self.spelled:
            return False
        if value is None:
            return not self.gives_id
        try:
            encode(value)
        except Unfit:
            return False
        return True


def parameters(statement: SourceStatement) -> tuple[str | None, ...]:
    """The names of the placeholders by number, None for `?`."""
    found = read_placeholders(statement.tokens)
    return tuple(found.names.get(number) for number in range(1, max(found.numbers, default=0) + 1))


def translate(found: Sorted, compiled: Compiled, known: Known, literals: Mapping[int, Plain]) -> Translated:
    """`literals` are written into the statement instead of their placeholders: place of the value → value.

    Raises sqlite3.NotSupportedError with the rule and the reason.
    """
    names = parameters(found.statement)
    statement = _with_literals(found.statement, literals) if literals else found.statement
    rewritten = rewrite(statement, known.scopes, Driver.PSYCOPG, "statement")
    if rewritten.output is None:
        decline(rewritten)
    rendered = rewritten.rendered
    assert rendered is not None
    columns = _columns(compiled, known)
    expected = [rewritten.expects.get(argument.target) for argument in rendered.arguments]
    sources = tuple(
        argument.source if isinstance(argument.source, int) else names.index(argument.source)
        for argument in rendered.arguments
    )
    shown = found.shown(read_placeholders(found.statement.tokens).numbers)
    rowid = _rowid(found, compiled, known, rewritten)
    sql = _numbered(rendered)
    binary = tuple(int(name == "bytea") for name in expected)
    return Translated(
        text=found.statement.text,
        parameters=names,
        alone=sql.encode(),
        sql=_with_rowid(sql, rowid, has_returning=found.has_returning).encode(),
        sources=sources,
        encoders=tuple(
            encoder(name, columns, shown=source + 1 in shown) for name, source in zip(expected, sources, strict=True)
        ),
        oids=tuple(OIDS.get(name or "", TEXT_OID) for name in expected),
        formats=binary if any(binary) else None,
        writes=bool(compiled.writes),
        begins=found.begins,
        columns=columns,
        names=compiled.names,
        rowid=rowid,
        mixed=rewritten.mixed,
    )


def spelled_out(found: Sorted, compiled: Compiled, known: Known, values: Sequence[Plain]) -> Translated:
    """For a statement that only its values make clear: what stands for it, to be translated for every call.

    Raises sqlite3.NotSupportedError where they do not.
    """
    places = dict(enumerate(values))
    translated = translate(found, compiled, known, places)
    return replace(translated, sources=tuple(places), encoders=(str.encode,) * len(places), spelled=True)


def decline(rewritten: Rewritten) -> NoReturn:
    """Raises the sqlite3 exception that says why there is no translation."""
    finding = rewritten.findings[0]
    if finding.rule == "syntax":
        raise sqlite3.OperationalError(finding.message)
    raise sqlite3.NotSupportedError(
        f"{finding.message} ({finding.rule}) PostgreSQL has no statement that surely does the same: rewrite this one."
    )


def _with_literals(statement: SourceStatement, literals: Mapping[int, Plain]) -> SourceStatement:
    """The other placeholders keep their numbers."""
    placeholders = read_placeholders(statement.tokens)
    tokens = [token for token in statement.tokens if token.kind is TokenKind.PLACEHOLDER]
    new = {}
    for token, number in zip(tokens, placeholders.numbers, strict=True):
        if number - 1 in literals:
            new[token] = literal(literals[number - 1])
        elif token.text == "?":
            new[token] = f"?{number}"
    [changed] = split(with_tokens(statement.text, new))
    return changed


def _numbered(rendered: Rendered) -> str:
    """psycopg's placeholders → the server's own: each is the place of its argument."""
    places = {argument.target: place for place, argument in enumerate(rendered.arguments, 1)}
    following = count(1)

    def number(found: re.Match[str]) -> str:
        if found.group() == "%%":
            return "%"
        return f"${places[found[1]] if found[1] else next(following)}"

    return _PLACES.sub(number, rendered.sql) if rendered.arguments else rendered.sql


def _columns(compiled: Compiled, known: Known) -> tuple[ColumnPlan, ...]:
    """What the statement touches; of a table that rows go into, all."""
    found: dict[tuple[str, str], ColumnPlan] = {}
    for name in sorted(compiled.tables):
        table = known.by_source.get(name)
        for column in table.carried if table else ():
            key = name, fold(column.source)
            if name in compiled.writes or key in compiled.columns:
                found[key] = column
    return tuple(found.values())


def _rowid(found: Sorted, compiled: Compiled, known: Known, rewritten: Rewritten) -> Rowid | None:
    if found.word not in ("INSERT", "REPLACE") or len(compiled.writes) != 1:
        return None
    [name] = compiled.writes
    scope, table = known.scopes.get(name), known.by_source.get(name)
    if scope is None or table is None or known.schema.table(name).without_rowid:
        return None
    if scope.rowid is None:
        return Rowid(None)
    given = any(finding.rule == "given-id" for finding in rewritten.findings)
    return Rowid(scope.rowid.target, found.may_update, scope.target if given else None)


def _with_rowid(sql: str, rowid: Rowid | None, *, has_returning: bool) -> str:
    if rowid is None or rowid.column is None:
        return sql
    more = quote_identifier(rowid.column) + (", (xmax = 0)" if rowid.telling else "")
    return f"{sql}{',' if has_returning else ' RETURNING'} {more}"


def sequence_query(table: str, column: str) -> str:
    return f"SELECT pg_get_serial_sequence({quote_literal(quote_identifier(table))}, {quote_literal(column)})"


def following(table: str, column: str, sequence: str) -> bytes:
    """What makes the sequence go on behind the highest id. `sequence` is as PostgreSQL quotes it."""
    text = (
        f"SELECT setval({quote_literal(sequence)}, h.id) FROM (SELECT max({quote_identifier(column)}) AS id"
        f" FROM {quote_identifier(table)}) AS h, {sequence} AS s WHERE h.id >= s.last_value"
    )
    return text.encode()
