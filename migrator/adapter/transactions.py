"""What SQLite's transactions need of PostgreSQL's: pure decisions, no connection.

SQLite takes back a statement that fails, and nothing else; PostgreSQL gives up the whole transaction. So there is
always a place to return to: the transaction's beginning, or a savepoint that is made in the same round trip as the
statement that could fail. And SQLite lets one connection write at a time: an advisory lock does the same for all that
connect through the adapter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from zlib import crc32


class Verb(Enum):
    READ = auto()
    WRITE = auto()
    BEGIN = auto()
    COMMIT = auto()
    ROLLBACK = auto()
    SAVEPOINT = auto()
    RELEASE = auto()
    ROLLBACK_TO = auto()


class Guard(Enum):
    """Where a statement that fails leads back to."""

    BEGINNING = auto()  # nothing was changed since the transaction began
    NONE = auto()
    HERE = auto()  # the savepoint, and nothing was changed since
    BEFORE = auto()  # the savepoint, and something was


MOST_HELD = 16  # savepoints inside of each other
_KEY = 0x6D696772  # the lock's number beside the schema's
BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_TO_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ"
_OUTER, _INNER = b'"migrator guard"', b'"migrator inner guard"'
_HOLD, _HOLD_INSIDE = b"SAVEPOINT " + _OUTER, b"SAVEPOINT " + _INNER
_LET_GO = b"RELEASE SAVEPOINT " + _OUTER  # and of all inside of it
_ANEW, _DEEPER = [_LET_GO, _HOLD], [_HOLD_INSIDE]
CHECK_DEFERRED = b"SET CONSTRAINTS ALL IMMEDIATE"


def lock_of(schema: str) -> bytes:
    """What makes all writers of that schema wait for each other."""
    return b"SELECT pg_advisory_xact_lock(%d, %d)" % (_KEY, crc32(schema.encode()) - 2**31)


@dataclass
class Transaction:
    """`open` is what the application knows; `begun` is whether PostgreSQL has been told.

    A guard that something was changed behind stays, and the next one is made inside of it: to let go of several at once
    takes one message for all of them. `held` is how many there are.
    """

    lock: bytes
    open: bool = False
    begun: bool = False
    locked: bool = False
    guard: Guard = Guard.BEGINNING
    held: int = 0
    savepoints: list[str] = field(default_factory=list)
    by_savepoint: bool = False  # the outermost savepoint began it, so its release ends it

    def before(self, verb: Verb) -> list[bytes]:
        """What is to be sent in front of a statement that reads or writes."""
        if self.guard is Guard.BEFORE and self.locked:
            return self._holding()
        lock = [self.lock] if verb is Verb.WRITE and not self.locked else []
        if not self.open:
            return lock
        if not self.begun:
            return [BEGIN if verb is Verb.WRITE else BEGIN_TO_READ, *lock]
        if self.guard in (Guard.BEGINNING, Guard.HERE):
            return lock
        return [*self._holding(), *lock]

    def _holding(self) -> list[bytes]:
        """What makes a guard inside of those there are, or the first one."""
        if self.guard is Guard.NONE:
            return [_HOLD]
        return _DEEPER if self.held < MOST_HELD else _ANEW

    def letting_go(self) -> list[bytes]:
        """What ends the guard: a savepoint of the application would lie inside of it."""
        return [_LET_GO] if self.guard in (Guard.HERE, Guard.BEFORE) else []

    def done(self, verb: Verb) -> None:
        """The statement has succeeded, behind what before() said."""
        if not self.open:
            return
        if self.guard in (Guard.NONE, Guard.BEFORE):
            self._held_one_more()
        self.begun = True
        self.locked = self.locked or verb is Verb.WRITE
        if verb is Verb.WRITE:
            self.guard = Guard.NONE if self.guard is Guard.BEGINNING else Guard.BEFORE

    def _held_one_more(self) -> None:
        """As _holding() has said."""
        self.held = self.held + 1 if self.guard is Guard.BEFORE and self.held < MOST_HELD else 1
        self.guard = Guard.HERE

    def failed(self) -> list[bytes]:
        """What takes back the statement that was refused, and nothing else."""
        if not self.open:
            return []
        if self.guard is Guard.BEGINNING:
            return [b"ROLLBACK"] if self._begin_again() else []
        if self.guard is not Guard.HERE:
            self._held_one_more()
        return [b"ROLLBACK TO " + (_HOLD if self.held == 1 else _HOLD_INSIDE)]

    def _begin_again(self) -> bool:
        self.begun = self.locked = False
        self.guard = Guard.BEGINNING
        return True

    def end(self) -> None:
        self._begin_again()
        self.open = self.by_savepoint = False
        self.savepoints.clear()

    # -- the application's savepoints ----------------------------------------------------------------------------------

    def depth(self, name: str) -> int | None:
        """The place of the innermost savepoint of that name."""
        found = [place for place, other in enumerate(self.savepoints) if other == name]
        return found[-1] if found else None

    def add_savepoint(self, name: str) -> list[bytes]:
        """What makes it; the transaction begins with it where there is none."""
        begin = [] if self.begun else [BEGIN]
        commands = [*begin, *self.letting_go(), b"SAVEPOINT " + own_name(len(self.savepoints))]
        self.by_savepoint = self.by_savepoint or not self.open
        self.open = self.begun = True
        self.guard = Guard.NONE
        self.savepoints.append(name)
        return commands

    def release(self, place: int) -> list[bytes]:
        """What lets go of it and of those inside; the guard goes with them."""
        del self.savepoints[place:]
        self.guard = Guard.NONE
        return [b"RELEASE SAVEPOINT " + own_name(place)]

    def return_to(self, place: int) -> list[bytes]:
        """What takes back all behind it: the lock too, where it was taken there."""
        del self.savepoints[place + 1 :]
        self.guard, self.locked = Guard.NONE, False
        return [b"ROLLBACK TO SAVEPOINT " + own_name(place)]


def own_name(place: int) -> bytes:
    """PostgreSQL's name for the application's savepoint at that depth."""
    return b"migrator_%d" % place
