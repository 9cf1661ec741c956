"""Statements on their way to the server: several in one round trip, each prepared once.

All of it are psycopg's generators, which a plain and an asynchronous connection wait for in their own ways.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors, generators, pq
from psycopg.waiting import Wait

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

MOST_PREPARED = 256
_ERROR = int(pq.ExecStatus.FATAL_ERROR)
_Key = tuple[bytes, tuple[int, ...]]


class Command(NamedTuple):
    """One statement with its values; `oids` and `formats` are those of the values, formats None means text."""

    sql: bytes
    values: Sequence[bytes | None] = ()
    oids: tuple[int, ...] = ()
    formats: Sequence[int] | None = None


@cache
def plain(sql: bytes) -> Command:
    """A statement without values, of the few that transactions are made of."""
    return Command(sql)


class Failed(Exception):
    """The command at this place was refused; those behind it were not tried."""

    def __init__(self, place: int, error: errors.Error) -> None:
        super().__init__(place, error)
        self.place = place
        self.error = error


class Wire:
    """One connection's. A generator that is not run to its end leaves the connection unusable."""

    def __init__(self, pgconn: PGconn) -> None:
        self.pgconn = pgconn
        self._names: OrderedDict[_Key, bytes] = OrderedDict()
        self._surplus: list[bytes] = []
        self._count = 0

    def send(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        """The results, one for each command. Raises Failed, and psycopg.OperationalError where the connection ends."""
        if len(commands) == 1:
            [command] = commands
            key = command.sql, command.oids
            name = self._names.get(key)
            if name is not None:
                self._names.move_to_end(key)
                return self._alone(name, command)
        return self._pipelined(commands)

    def _alone(self, name: bytes, command: Command) -> PQGen[list[PGresult]]:
        self.pgconn.send_query_prepared(name, command.values, command.formats)
        return self._checked((yield from generators.execute(self.pgconn)))

    def script(self, sql: bytes) -> PQGen[None]:
        """Statements without values, in one message: all of them, or none outside of a transaction."""
        self.pgconn.send_query(sql)
        self._checked((yield from generators.execute(self.pgconn)))

    def forget(self) -> None:
        """What was prepared may not fit the tables any more."""
        self._surplus += self._names.values()
        self._names.clear()

    def _pipelined(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        names = [self._names.get((command.sql, command.oids)) for command in commands]
        if None in names or self._surplus:
            return (yield from self._preparing(commands))
        send = self.pgconn.send_query_prepared
        self.pgconn.enter_pipeline_mode()
        for name, command in zip(names, commands, strict=True):
            send(name, command.values, command.formats)  # type: ignore[arg-type]  # the line above has looked for None
        results = yield from self._answers(len(commands))
        for place, result in enumerate(results):
            if result.status == _ERROR:
                raise Failed(place, self._error(result))
        return results

    def _preparing(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        """As _pipelined(), for commands of which some are not prepared yet."""
        self.pgconn.enter_pipeline_mode()
        answers = [(0, None)] * self._end_surplus() + self._send_all(commands)
        found = yield from self._answers(len(answers))
        results: list[PGresult] = []
        for (place, prepared), result in zip(answers, found, strict=True):
            if result.status == _ERROR:
                raise Failed(place, self._error(result))
            if prepared is None:
                results.append(result)
            else:
                key, self._names[key] = prepared
        self._surplus += [
            self._names.popitem(last=False)[1] for _ in range(len(self._names) - MOST_PREPARED)
        ]  # a program that makes up its SQL would fill the server
        return results[len(results) - len(commands) :]

    def _answers(self, count: int) -> PQGen[list[PGresult]]:
        """One for each message that was sent; the one that is left answers the synchronisation."""
        pgconn = self.pgconn
        pgconn.pipeline_sync()
        yield from generators.send(pgconn)
        found: list[PGresult] = []
        while len(found) <= count:
            while pgconn.is_busy():
                yield Wait.R
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is not None:  # which ends what answers one message
                found.append(result)
        pgconn.exit_pipeline_mode()
        return found[:count]

    def _send_all(self, commands: Sequence[Command]) -> list[tuple[int, tuple[_Key, bytes] | None]]:
        """For every answer to come the place of its command, and what it prepares if it is not the command's result."""
        answers: list[tuple[int, tuple[_Key, bytes] | None]] = []
        new: dict[_Key, bytes] = {}
        for place, command in enumerate(commands):
            key = command.sql, command.oids
            name = self._names.get(key) or new.get(key)
            if name is None:
                name = new[key] = b"migrator_%d" % self._count
                self._count += 1
                self.pgconn.send_prepare(name, command.sql, command.oids)
                answers.append((place, (key, name)))
            self.pgconn.send_query_prepared(name, command.values, command.formats)
            answers.append((place, None))
        return answers

    def _end_surplus(self) -> int:
        ended, self._surplus = self._surplus, []
        for name in ended:
            self.pgconn.send_query_params(b"DEALLOCATE " + name, None)
        return len(ended)

    def _checked(self, results: list[PGresult]) -> list[PGresult]:
        for result in results:
            if result.status == _ERROR:
                raise Failed(0, self._error(result))
        return results

    def _error(self, result: PGresult) -> errors.Error:
        return errors.error_from_result(result, encoding="utf-8")
