"""(error, attempt) → whether and when to try again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import InvalidToken, NewerDatabase, NotAdmin, OtherHome

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0


@dataclass(frozen=True)
class RetryIn:
    seconds: float


@dataclass(frozen=True)
class GiveUp:
    """A person has to do something first; `error` says what."""

    error: Exception


def decide(error: Exception, attempt: int, random: Callable[[], float]) -> RetryIn | GiveUp:
    """`attempt` counts from 1, and from 1 again after a connection that came to listing; `random` returns 0 ≤ x < 1.

    Full jitter between nothing and a limit that doubles up to five minutes, without end: a home may be away for weeks.
    """
    if isinstance(error, (InvalidToken, NotAdmin, OtherHome, NewerDatabase)):
        return GiveUp(error)
    limit = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(attempt - 1, 30))
    return RetryIn(random() * limit)
