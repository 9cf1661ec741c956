"""What a statement of SQLite's comes to on one connection: translated, sent, and its rows as SQLite would have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors

from migrator.adapter import state
from migrator.adapter.arguments import Plain, given
from migrator.adapter.defining import redefinition
from migrator.adapter.dialogue import Dialogue
from migrator.adapter.failures import may_be_stale, operational
from migrator.adapter.results import reader
from migrator.adapter.shapes import Row, Shape, shape_of
from migrator.adapter.statements import Pragma, Sorted, control, pragma, sort_out
from migrator.adapter.tables import Shared, tables_of
from migrator.adapter.transactions import Verb
from migrator.adapter.translation import (
    Translated,
    decline,
    following,
    parameters,
    sequence_query,
    spelled_out,
    translate,
)
from migrator.adapter.wire import Command, Failed
from migrator.core.convert import Unfit
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import rewrite
from migrator.core.values import show

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

    from migrator.adapter.shadow import Arguments, Compiled

MANY = 500  # rows in one round trip
_ATTRIBUTES = b"""SELECT a.attnum, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attrelid = $1 AND a.attnum > 0"""


class Outcome(NamedTuple):
    """`names` are those of a result's columns, None where there is no result."""

    names: tuple[str, ...] | None = None
    rows: Sequence[Row] = ()
    rowcount: int = -1
    declared: tuple[str, ...] = ()  # the types that the result's columns were declared with, '' without one


NOTHING = Outcome()
EMPTY = Outcome()  # of a text without a statement


@dataclass
class Session(Dialogue):
    """`shared` has the tables as the process knows them now; a transaction that defines something has its own."""

    shared: Shared = field(kw_only=True)
    total_changes: int = 0
    changes: int = 0  # of the statement that was the last to change something, or was refused
    last_rowid: int | None = 0
    inserted: int | None = 0  # what last_insert_rowid() says, None where that is not known
    _shapes: dict[Translated, Shape] = field(default_factory=dict)
    _sequences: dict[str, bytes] = field(default_factory=dict)

    # -- one statement -------------------------------------------------------------------------------------------------

    def execute(self, sql: str, arguments: Arguments, *, implicit: bool = True) -> PQGen[Outcome]:
        """`implicit` opens a transaction where sqlite3 does. Raises sqlite3's exceptions."""
        self._look_around()
        translated = self.tables.translations.get(sql)
        if translated is None:
            return (yield from self._first_time(sql, arguments, implicit=implicit))
        return (yield from self._run(translated, given(arguments, translated.parameters), implicit=implicit))

    def _look_around(self) -> None:
        """Take over what another connection of the process knows by now."""
        if self.tables is not self.shared.tables and not self.transaction.open:
            self.look_again()

    def look_again(self) -> None:
        """Translate everything anew, for the tables as the process knows them."""
        self.tables = self.shared.tables
        self.wire.forget()
        self._shapes.clear()
        self._sequences.clear()

    def suspects(self, error: sqlite3.Error) -> bool:
        """Whether the tables should be read again; not what this transaction itself has made of them."""
        state = error.__cause__.sqlstate if isinstance(error.__cause__, errors.Error) else None
        return self.unchanged is None and may_be_stale(error, state)

    def _first_time(self, sql: str, arguments: Arguments, *, implicit: bool) -> PQGen[Outcome]:
        found = sort_out(sql)
        if not found:
            return EMPTY
        if len(found) > 1 or found[0].kind == "other":
            self.tables.shadow.compile(sql, arguments, query=False)  # SQLite says what is wrong
            raise sqlite3.NotSupportedError(f"{found[0].word} is not translated. (statement)")
        [only] = found
        if only.kind in ("dml", "query"):
            return (yield from self._new(sql, only, arguments, implicit=implicit))
        self.tables.shadow.compile(sql, arguments, query=False)
        if only.kind == "control":
            yield from self.control(control(only.statement))
        elif only.kind == "ddl":
            yield from self._define(only)
        elif only.kind == "pragma":
            return (yield from self._pragma(only, pragma(only.statement)))
        return NOTHING

    def _new(self, sql: str, only: Sorted, arguments: Arguments, *, implicit: bool) -> PQGen[Outcome]:
        compiled = self.tables.shadow.compile(sql, arguments, query=only.kind == "query")
        if compiled.is_about_the_schema:
            names, rows = self.tables.shadow.answer(sql, arguments)
            return Outcome(names, rows)
        translated = self._translated(sql, only, compiled, arguments)
        return (yield from self._run(translated, given(arguments, translated.parameters), implicit=implicit))

    def _translated(self, sql: str, only: Sorted, compiled: Compiled, arguments: Arguments) -> Translated:
        """For this call and all that follow, unless it asks what the last statement did."""
        asked = state.questions(only.statement)
        if asked:
            only = replace(only, statement=state.answered(only.statement, asked, self._answers(asked)))
        try:
            translated = translate(only, compiled, self.tables.known, {})
        except sqlite3.NotSupportedError:
            values = given(arguments, parameters(only.statement))
            if not values:
                raise
            translated = spelled_out(only, compiled, self.tables.known, values)
        if not asked:
            self.tables.translations.put(sql, translated)
        return translated

    def _answers(self, asked: Mapping[int, str]) -> dict[str, int]:
        if self.inserted is None and state.QUESTIONS[0] in asked.values():
            raise sqlite3.NotSupportedError(state.UNKNOWN_ID)
        return dict(zip(state.QUESTIONS, (self.inserted or 0, self.changes, self.total_changes), strict=True))

    def _run(self, translated: Translated, values: list[Plain], *, implicit: bool) -> PQGen[Outcome]:
        translated, encoded = self._encoded(translated, values)
        if implicit and translated.begins and not self.transaction.open:
            yield from self.begin_for(changing=True)
        behind = (yield from self._behind(translated)) if translated.gives_id else ()
        command = Command(translated.sql, encoded, translated.oids, translated.formats)
        try:
            [result] = yield from self.attempt(Verb.WRITE if translated.writes else Verb.READ, [command], behind)
        except Failed as failed:
            self.changes = 0 if translated.writes else self.changes
            raise self.failure(failed.error) from failed.error
        shape = self._shapes.get(translated)
        if shape is None and result.nfields:
            shape = self._shapes[translated] = yield from self._shape(translated, result)
        return self._outcome(translated, result, shape)

    def _encoded(self, translated: Translated, values: list[Plain]) -> tuple[Translated, list[bytes | None]]:
        """The statement that these values go with, and what is sent of them."""
        try:
            return translated, translated.encoded(values)
        except Unfit as unfit:
            return self._with_literals(translated, values, unfit)

    def _with_literals(
        self, translated: Translated, values: list[Plain], unfit: Unfit
    ) -> tuple[Translated, list[bytes | None]]:
        """Every value that does not fit its place is written into the statement; the translation decides."""
        found = {place: values[place] for place in translated.unfitting(values)}
        key = (translated.text, *((place, type(value), value) for place, value in found.items()))
        try:
            other = self.tables.translations.get(key)
            if other is None:
                compiled = self.tables.shadow.compile(translated.text, values, query=False)
                compiled = replace(compiled, names=translated.names)
                other = translate(sort_out(translated.text)[0], compiled, self.tables.known, found)
                self.tables.translations.put(key, other)
            return other, other.encoded(values)
        except (sqlite3.NotSupportedError, Unfit) as error:
            shown = ", ".join(show(value) for value in found.values())
            raise sqlite3.DataError(
                f"To PostgreSQL it would be another value: {unfit}. With {shown}: {error}"
            ) from error

    # -- many rows -----------------------------------------------------------------------------------------------------

    def execute_many(self, sql: str, rows: Iterable[Arguments]) -> PQGen[Outcome]:
        """As many statements, of which those before the one that is refused are done. Raises sqlite3's exceptions."""
        self._look_around()
        found = sort_out(sql)
        if len(found) == 1 and found[0].kind != "dml":
            raise sqlite3.ProgrammingError("executemany() can only execute DML statements.")
        count, last_rowid, waiting = 0, self.last_rowid, list[Command]()
        translated: Translated | None = None
        try:
            for arguments in rows:
                if translated is None:
                    translated = self._known_or_new(sql, found, arguments)
                    yield from self.begin_for(changing=True)
                waiting.append(self._command(translated, arguments))
                if len(waiting) == MANY:
                    batch, waiting = waiting, []
                    count += yield from self._all(translated, batch)
        except BaseException:
            if translated is not None and waiting:
                yield from self._all(translated, waiting)
            raise
        if translated is not None and waiting:
            count += yield from self._all(translated, waiting)
        self.last_rowid = last_rowid
        return Outcome(rowcount=count)

    def _known_or_new(self, sql: str, found: Sequence[Sorted], arguments: Arguments) -> Translated:
        known = self.tables.translations.get(sql)
        if known is not None:
            return known
        if found and state.questions(found[0].statement):
            raise sqlite3.NotSupportedError(state.MANY_ROWS)
        compiled = self.tables.shadow.compile(sql, arguments, query=False)
        return self._translated(sql, found[0], compiled, arguments)

    def _command(self, translated: Translated, arguments: Arguments) -> Command:
        other, encoded = self._encoded(translated, given(arguments, translated.parameters))
        return Command(other.alone, encoded, other.oids, other.formats)

    def _all(self, translated: Translated, commands: Sequence[Command]) -> PQGen[int]:
        """The number of rows. Where one is refused, those before it are done again without it."""
        behind = yield from self._behind(translated)
        try:
            results = yield from self.attempt(Verb.WRITE, commands, behind)
        except Failed as failed:
            if failed.place > 0:
                yield from self._all(translated, commands[: failed.place])
            self.changes = 0
            raise self.failure(failed.error) from failed.error
        changed = sum(result.command_tuples or 0 for result in results)
        self.total_changes += changed
        self.changes = results[-1].command_tuples or 0
        if translated.rowid is not None and changed:
            self.inserted = None
        return changed

    def execute_script(self, script: str) -> PQGen[None]:
        """Commits, and carries out one statement after the other. Raises sqlite3's exceptions."""
        if self.transaction.open:
            yield from self.commit()
        for found in sort_out(script):
            if found.statement.error is not None:
                raise operational(found.statement.error)
            yield from self.execute(found.statement.text, (), implicit=False)

    # -- results -------------------------------------------------------------------------------------------------------

    def _outcome(self, translated: Translated, result: PGresult, shape: Shape | None) -> Outcome:
        changed = (result.command_tuples or 0) if translated.writes else 0
        self.total_changes += changed
        self.changes = changed if translated.writes else self.changes
        if changed and translated.rowid is not None and translated.rowid.column is None:
            self.inserted = None
        rowcount = changed if translated.begins else -1
        if shape is None:
            if translated.rowid is not None:
                self.last_rowid = None
            return Outcome(rowcount=rowcount)
        rows = shape.rows(result)
        if translated.hidden:
            rows = self._told(translated, rows)
        return Outcome(shape.names, rows, rowcount, shape.declared) if shape.names else Outcome(rowcount=rowcount)

    def _shape(self, translated: Translated, result: PGresult) -> PQGen[Shape]:
        visible = result.nfields - translated.hidden
        readers, declared = [], []
        for place in range(visible):
            key, table = ("", ""), result.ftable(place)
            if table:
                attributes = yield from self._attributes(table)
                key = attributes.get(result.ftablecol(place), key)
            column = self.tables.known.by_target.get(key)
            readers.append(reader(result.ftype(place), column, translated.columns, real=place in translated.reals))
            declared.append(self.tables.known.declared.get(key, ""))
        names = translated.names
        if names is None or len(names) != visible:
            names = tuple((result.fname(place) or b"").decode() for place in range(visible))
        return shape_of(self.context, result, names, readers, declared)

    def _attributes(self, table: int) -> PQGen[dict[int, tuple[str, str]]]:
        """Number → names of table and column, of a table or a view."""
        found = self.tables.known.attributes.get(table)
        if found is None:
            result = yield from self.guarded(Verb.READ, Command(_ATTRIBUTES, [b"%d" % table], (26,)))
            found = {int(number): (relation, name) for number, relation, name in _texts(result)}
            self.tables.known.attributes[table] = found
        return found

    def _told(self, translated: Translated, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows without our own columns, which say what the last rowid is."""
        hidden, telling = translated.hidden, translated.hidden > 1
        new = [row for row in rows if not telling or row[-1]]
        if new:
            self.last_rowid = self.inserted = new[-1][-hidden]
        return [row[:-hidden] for row in rows]

    def _behind(self, translated: Translated) -> PQGen[Sequence[Command]]:
        """What has to be sent behind a statement that gives an id."""
        rowid = translated.rowid
        if rowid is None or rowid.sequence_of is None or rowid.column is None:
            return ()
        table = rowid.sequence_of
        if table not in self._sequences:
            query = Command(sequence_query(table, rowid.column).encode())
            [[name]] = _texts((yield from self.guarded(Verb.READ, query)))
            self._sequences[table] = following(table, rowid.column, name) if name else b""
        sql = self._sequences[table]
        return [Command(sql)] if sql else ()

    # -- what is about the tables --------------------------------------------------------------------------------------

    def _define(self, only: Sorted) -> PQGen[None]:
        """CREATE, DROP or ALTER: kept at once, or with the transaction that is open."""
        change = redefinition(only.statement, self.tables.known)
        if change is None:
            return
        yield from self._carry_out(change.statements)
        if self.transaction.open:
            self.unchanged = self.unchanged or self.tables
            self.tables = tables_of(change.known)
        else:
            self.tables = tables_of(change.known)
            self.committed()
        self._shapes.clear()
        self._sequences.clear()
        self.wire.forget()

    def _carry_out(self, statements: Sequence[str]) -> PQGen[None]:
        if not self.transaction.open:
            script = [self.transaction.lock.decode(), *statements]
        else:
            yield from self.send(self.transaction.before(Verb.WRITE))
            script = list(statements)
        try:
            yield from self.wire.script(";\n".join(script).encode())
        except Failed as failed:
            yield from self.send(self.transaction.failed())
            raise self.failure(failed.error) from failed.error
        self.transaction.done(Verb.WRITE)

    def committed(self) -> None:
        """What was defined is everybody's, until somebody reads the catalog again."""
        self.shared.tables, self.shared.mark = self.tables, ""

    def _user_version(self, value: str | None) -> PQGen[Outcome]:
        """Of the schema, in a table of its own, so that it is kept or taken back with the tables."""
        schema = self.tables.known.plan.target_schema
        version = state.version_of(value) if value is not None else 0
        [[there]] = _texts((yield from self.guarded(Verb.READ, Command(state.has_version(schema)))))
        if value is not None:
            yield from self._carry_out(state.version_statements(schema, version, there=there == "t"))
            return NOTHING
        if there == "t":
            [[found]] = _texts((yield from self.guarded(Verb.READ, Command(state.version_query(schema)))))
            version = int(found or 0)
        elif self.tables.known.definitions:
            raise sqlite3.NotSupportedError(state.NOT_CARRIED)
        return Outcome(("user_version",), [(version,)])

    def _pragma(self, only: Sorted, asked: Pragma) -> PQGen[Outcome]:
        if asked.name == "user_version":
            return (yield from self._user_version(asked.value))
        if asked.is_about_tables:
            names, rows = self.tables.shadow.answer(only.statement.text)
            return Outcome(names, rows)
        if asked.name == "foreign_keys" and asked.value is None:
            return Outcome(("foreign_keys",), [(1,)])
        if asked.name == "journal_mode" and (asked.value or "").lower() == "wal":
            return Outcome(("journal_mode",), [("wal",)])
        rewritten = rewrite(only.statement, {}, Driver.PSYCOPG, "statement")
        if rewritten.output is None:
            decline(rewritten)
        if asked.value is None and asked.name not in ("optimize", "wal_checkpoint"):
            raise operational(
                f"PRAGMA {asked.name} asks SQLite for a setting of its own; PostgreSQL has none such. (pragma)"
            )
        return NOTHING


def _texts(result: PGresult) -> list[list[str]]:
    return [
        [(result.get_value(row, place) or b"").decode() for place in range(result.nfields)]
        for row in range(result.ntuples)
    ]
