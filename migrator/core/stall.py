"""When nothing moves any more: what counts as movement, what counts as the server being at work, and what is said then.

Time is only added up while somebody looks: a computer that slept, or a process that was stopped, was not stalled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from migrator.core.errors import Stalled
from migrator.core.findings import count_of

LOOKS = 10  # per timeout
LOOK_AT_LEAST_EVERY_S = 5.0
# What only waits uses some thousandths of a core, for waking up and looking around.
CPU_SHARE = 0.05


@dataclass(frozen=True)
class Usage:
    """What a process or a thread has used since it began. `file_bytes` are those it has read and written."""

    cpu_s: float
    file_bytes: int


@dataclass(frozen=True)
class Signs:
    """What can be seen of an attempt from outside: messages of its workers so far, and what each process has used.

    A worker that reads for minutes until a query has its first row says nothing, and is seen by what it uses.
    """

    messages: int = 0
    usage: Mapping[int, Usage] = field(default_factory=dict)

    def moved_since(self, before: Signs, elapsed_s: float) -> bool:
        if self.messages != before.messages or self.usage.keys() != before.usage.keys():
            return True
        pairs = [(used, before.usage[number]) for number, used in self.usage.items()]
        return any(
            now.file_bytes != then.file_bytes or now.cpu_s - then.cpu_s > CPU_SHARE * elapsed_s for now, then in pairs
        )


@dataclass(frozen=True)
class Session:
    """One of the attempt's sessions as the server sees it: since when it is in its state, what it waits for, and who
    holds the lock, in words, if that is what it waits for."""

    pid: int
    state: str
    waits_for: str | None
    still_s: float
    blockers: Sequence[str] = ()

    @property
    def is_at_work(self) -> bool:
        """It executes a statement. Who waits for the next row, or for somebody else's lock, does not.

        "disabled" is what a server says that does not track its sessions: then nobody knows, and we wait.
        """
        return self.state in ("active", "disabled") and self.waits_for not in ("Client", "Lock")


@dataclass
class Stillness:
    """How long nothing has moved. The clock is the caller's, and so is the question to the server."""

    timeout_s: float
    signs: Signs
    at_s: float
    still_s: float = 0.0

    @property
    def look_every_s(self) -> float:
        return min(LOOK_AT_LEAST_EVERY_S, self.timeout_s / LOOKS)

    def look(self, signs: Signs, now_s: float) -> bool:
        """Whether so long nothing has moved on this side that the server has to be asked."""
        elapsed_s = now_s - self.at_s
        moved = signs.moved_since(self.signs, elapsed_s)
        # Between two looks lies more where the computer slept meanwhile.
        self.still_s = 0.0 if moved else self.still_s + min(elapsed_s, 2 * self.look_every_s)
        self.signs, self.at_s = signs, now_s
        return self.still_s >= self.timeout_s

    def answered(self, sessions: Sequence[Session]) -> bool:
        """Whether the attempt is stalled, by what the server says."""
        if any(session.is_at_work for session in sessions):
            self.still_s = 0.0
            return False
        return all(session.still_s >= self.timeout_s for session in sessions)


def stalled(timeout_s: float, shown: str, sessions: Sequence[Session], unreachable: str = "") -> Stalled:
    """The error that ends the attempt. `unreachable` is why the server could not be asked."""
    what = f"Nothing has moved for {timeout_s:g} s: no row, and no statement is at work in PostgreSQL ({shown})."
    wait = "Where such a pause is to be expected, give a larger --stall-timeout."
    if unreachable:
        return Stalled(what, f"The server does not answer: {unreachable}", f"Check the server and the network. {wait}")
    blockers = [name for session in sessions for name in session.blockers]
    if blockers:
        why = (
            f"{count_of(len(blockers), 'session holds', 'sessions hold')} a lock that is needed: {'; '.join(blockers)}."
        )
        return Stalled(what, why, f"End it with SELECT pg_terminate_backend(PID), or wait for its end. {wait}")
    why = "The server answers a new connection; the network lets nothing through on the old ones."
    return Stalled(what, why, wait)
