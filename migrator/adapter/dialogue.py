"""One connection's transactions: what the application says of them, and what the server is told.

Everything that waits for the server is a generator of psycopg's kind, so that a plain and an asynchronous connection
share all of this. Errors are raised as sqlite3's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import errors

from migrator.adapter.failures import Said, failure, operational
from migrator.adapter.statements import Control
from migrator.adapter.tables import Tables
from migrator.adapter.transactions import BEGIN, CHECK_DEFERRED, Transaction, Verb
from migrator.adapter.translation import PACK
from migrator.adapter.wire import Command, Failed, Wire, plain

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

IMMEDIATE = ("IMMEDIATE", "EXCLUSIVE")


@dataclass
class Dialogue:
    """`context` is psycopg's connection, `isolation` sqlite3's isolation_level."""

    wire: Wire
    tables: Tables
    context: Any
    transaction: Transaction
    secrets: tuple[str | None, ...] = ()
    isolation: str | None = ""
    unchanged: Tables | None = None  # what was known before the transaction defined something

    # -- the application's words ---------------------------------------------------------------------------------------

    def begin(self, *, at_once: bool) -> PQGen[None]:
        """PostgreSQL is told with the first statement, except of what is to lock at once."""
        if self.transaction.open:
            raise operational("cannot start a transaction within a transaction")
        if at_once:
            try:
                yield from self.send([BEGIN, self.transaction.lock])
            except sqlite3.Error:
                yield from self.send([b"ROLLBACK"])
                raise
            self.transaction.begun = self.transaction.locked = True
        self.transaction.open = True

    def begin_for(self, *, changing: bool) -> PQGen[None]:
        """What sqlite3 does in front of a statement, by its isolation_level."""
        if changing and self.isolation is not None and not self.transaction.open:
            yield from self.begin(at_once=self.isolation.upper() in IMMEDIATE)

    def commit(self) -> PQGen[None]:
        """Where a deferred reference is broken, the transaction stays open, as in SQLite."""
        if not self.transaction.begun:
            self.transaction.end()
            return
        if self.tables.known.defers:
            yield from self.guarded(Verb.READ, Command(CHECK_DEFERRED))
        try:
            yield from self.send([b"COMMIT"])
        except sqlite3.Error:
            self.give_up()
            raise
        self.transaction.end()
        if self.unchanged is not None:
            self.unchanged = None
            self.committed()

    def committed(self) -> None:
        """The transaction that has defined something is over, and was not taken back."""

    def rollback(self) -> PQGen[None]:
        begun = self.transaction.begun
        self.give_up()
        if begun:
            yield from self.send([b"ROLLBACK"])

    def give_up(self) -> None:
        """The transaction is gone, and what it had defined."""
        self.transaction.end()
        if self.unchanged is not None:
            self.tables, self.unchanged = self.unchanged, None

    def control(self, said: Control) -> PQGen[None]:
        """BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE or ROLLBACK TO, as SQL."""
        if said.word == "BEGIN":
            yield from self.begin(at_once=said.at_once)
        elif said.word == "SAVEPOINT":
            yield from self.send(self.transaction.add_savepoint(said.savepoint or ""))
        elif said.savepoint is not None:
            yield from self._to_savepoint(said.word, said.savepoint)
        elif not self.transaction.open:
            raise operational(f"cannot {said.word.lower()} - no transaction is active")
        elif said.word == "COMMIT":
            yield from self.commit()
        else:
            yield from self.rollback()

    def _to_savepoint(self, word: str, name: str) -> PQGen[None]:
        place = self.transaction.depth(name)
        if place is None:
            raise operational(f"no such savepoint: {name}")
        if word == "ROLLBACK TO":
            yield from self.send(self.transaction.return_to(place))
        elif place == 0 and self.transaction.by_savepoint:
            yield from self.commit()
        else:
            yield from self.send(self.transaction.release(place))

    # -- the server ----------------------------------------------------------------------------------------------------

    def guarded(self, verb: Verb, command: Command, behind: Sequence[Command] = ()) -> PQGen[PGresult]:
        """The statement's result; where it is refused, it is taken back alone."""
        try:
            results = yield from self.attempt(verb, [command], behind)
        except Failed as failed:
            raise self.failure(failed.error) from failed.error
        return results[0]

    def attempt(self, verb: Verb, commands: Sequence[Command], behind: Sequence[Command] = ()) -> PQGen[list[PGresult]]:
        """The results of all, or none of them is done: Failed has the place of the one that was refused."""
        before = self.transaction.before(verb)
        try:
            results = yield from self.wire.send([*map(plain, before), *commands, *behind])
        except Failed as failed:
            yield from self.send(self.transaction.failed())
            raise Failed(failed.place - len(before), failed.error) from None
        except errors.Error as error:
            self.give_up()
            raise self.failure(error) from error
        self.transaction.done(verb)
        return results[len(before) : len(before) + len(commands)]

    def send(self, statements: Iterable[bytes]) -> PQGen[list[PGresult]]:
        """Statements without values."""
        commands = [*map(plain, statements)]
        if not commands:
            return []
        try:
            return (yield from self.wire.send(commands))
        except Failed as failed:
            raise self.failure(failed.error) from failed.error
        except errors.Error as error:
            self.give_up()
            raise self.failure(error) from error

    def failure(self, error: errors.Error) -> sqlite3.Error:
        """sqlite3's exception of psycopg's."""
        diag = error.diag
        message = diag.message_primary or str(error)
        if error.sqlstate in ("3F000", "42883") and "sqlite" in message:
            return sqlite3.NotSupportedError(PACK)
        said = Said(
            error.sqlstate, message, diag.message_detail, diag.table_name, diag.column_name, diag.constraint_name
        )
        return failure(said, self.tables.known.names, *self.secrets)
