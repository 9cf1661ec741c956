"""Statements on their way to the server: several in one round trip, each prepared once.

All of it are psycopg's generators, which a plain and an asynchronous connection wait for in their own ways.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import errors, generators, pq

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

MOST_PREPARED = 256
_ERROR = pq.ExecStatus.FATAL_ERROR


@dataclass(frozen=True, eq=False)
class Command:
    """One statement with its values; `oids` and `formats` are those of the values, formats None means text."""

    sql: bytes
    values: Sequence[bytes | None] = ()
    oids: tuple[int, ...] = ()
    formats: tuple[int, ...] | None = None


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
        self._names: OrderedDict[tuple[bytes, tuple[int, ...]], bytes] = OrderedDict()
        self._count = 0

    def send(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        """The results, one for each command. Raises Failed, and psycopg.OperationalError where the connection ends."""
        if len(commands) == 1:
            [command] = commands
            name = self._names.get((command.sql, command.oids))
            if name is not None:
                self._names.move_to_end((command.sql, command.oids))
                self.pgconn.send_query_prepared(name, command.values, command.formats)
                return self._checked((yield from generators.execute(self.pgconn)))
        return (yield from self._pipelined(commands))

    def script(self, sql: bytes) -> PQGen[None]:
        """Statements without values, in one message: all of them, or none outside of a transaction."""
        self.pgconn.send_query(sql)
        self._checked((yield from generators.execute(self.pgconn)))

    def forget(self) -> None:
        """What was prepared may not fit the tables any more."""
        self._names.clear()

    def _pipelined(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        queue: deque[Callable[[], None]] = deque()
        places: list[tuple[int, bool]] = []  # of the command that an answer belongs to, and whether it is its result
        new: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        while len(self._names) > MOST_PREPARED:  # a program that makes up its SQL would fill the server
            _, gone = self._names.popitem(last=False)
            queue.append(_end(self.pgconn, gone))
            places.append((0, False))
        for place, command in enumerate(commands):
            key = command.sql, command.oids
            name = self._names.get(key) or new.get(key)
            if name is None:
                name = new[key] = b"migrator_%d" % self._count
                self._count += 1
                queue.append(_preparation(self.pgconn, name, command))
                places.append((place, False))
            queue.append(_execution(self.pgconn, name, command))
            places.append((place, True))
        queue.append(self.pgconn.pipeline_sync)
        self.pgconn.enter_pipeline_mode()
        found: list[list[PGresult]] = yield from generators.pipeline_communicate(self.pgconn, queue)
        while len(found) <= len(places):
            found.append((yield from generators.fetch_many(self.pgconn)))
        self.pgconn.exit_pipeline_mode()
        results = []
        for (place, is_result), (result, *_) in zip(places, found, strict=False):
            if result.status == _ERROR:
                raise Failed(place, self._error(result))
            if is_result:
                results.append(result)
        self._names |= new
        return results

    def _checked(self, results: list[PGresult]) -> list[PGresult]:
        for result in results:
            if result.status == _ERROR:
                raise Failed(0, self._error(result))
        return results

    def _error(self, result: PGresult) -> errors.Error:
        return errors.error_from_result(result, encoding="utf-8")


def _execution(pgconn: PGconn, name: bytes, command: Command) -> Callable[[], None]:
    return lambda: pgconn.send_query_prepared(name, command.values, command.formats)


def _preparation(pgconn: PGconn, name: bytes, command: Command) -> Callable[[], None]:
    return lambda: pgconn.send_prepare(name, command.sql, command.oids)


def _end(pgconn: PGconn, name: bytes) -> Callable[[], None]:
    return lambda: pgconn.send_query_params(b"DEALLOCATE " + name, None)
