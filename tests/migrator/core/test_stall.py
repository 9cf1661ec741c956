"""When an attempt counts as stalled. The clock is the test's."""

from __future__ import annotations

import pytest

from migrator.core.stall import Session, Signs, Stillness, Usage, stalled

WAITING = Session(1, "active", "Client", 1_000.0)
BUSY = Session(2, "active", None, 1_000.0)
LOCKED = Session(3, "active", "Lock", 1_000.0, ("77 (anna, psql, idle in transaction)",))
IDLE = Session(4, "idle", "Client", 1_000.0)


def still(timeout_s: float = 100.0) -> Stillness:
    """After that time without a sign, looked at as often as it asks for."""
    stillness = Stillness(timeout_s, Signs(), 0.0)
    for number in range(1, 1 + int(timeout_s / stillness.look_every_s)):
        over = stillness.look(Signs(), number * stillness.look_every_s)
        assert over == (number * stillness.look_every_s >= timeout_s)
    return stillness


@pytest.mark.parametrize(
    "signs",
    [
        Signs(messages=1),
        Signs(0, {7: Usage(1.0, 10)}),  # a worker that was not there before
    ],
)
def test_a_sign_of_life_begins_the_time_anew(signs: Signs) -> None:
    stillness = still()
    assert not stillness.look(signs, stillness.at_s + 5)
    assert stillness.still_s == 0


@pytest.mark.parametrize(
    ("used", "moves"),
    [
        (Usage(1.0, 10), False),
        (Usage(1.0, 11), True),  # it reads
        (Usage(1.2, 10), False),  # it wakes up now and then
        (Usage(1.3, 10), True),  # it computes
    ],
)
def test_a_worker_that_says_nothing_is_seen_by_what_it_uses(used: Usage, moves: bool) -> None:
    before = Signs(0, {7: Usage(1.0, 10)})
    assert Signs(0, {7: used}).moved_since(before, elapsed_s=5.0) == moves


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    """The computer slept, or the process was stopped."""
    stillness = Stillness(100.0, Signs(), 0.0)
    assert not stillness.look(Signs(), 36_000.0)


@pytest.mark.parametrize(
    ("sessions", "is_stalled"),
    [
        ([], True),
        ([WAITING, IDLE], True),
        ([LOCKED], True),
        ([WAITING, BUSY], False),
        ([LOCKED, BUSY], False),  # who holds the lock may be the one that is at work
        ([Session(5, "active", "IO", 1_000.0)], False),
        ([Session(5, "disabled", None, 1_000.0)], False),  # nobody can know
        ([WAITING, Session(5, "idle", "Client", 20.0)], False),  # it has finished a statement meanwhile
    ],
)
def test_the_server_has_the_last_word(sessions: list[Session], is_stalled: bool) -> None:
    assert still().answered(sessions) == is_stalled


def test_a_busy_server_begins_the_time_anew() -> None:
    stillness = still()
    stillness.answered([BUSY])
    assert stillness.still_s == 0


@pytest.mark.parametrize(
    ("sessions", "unreachable", "words"),
    [
        ([WAITING], "", "The server answers a new connection"),
        ([LOCKED, WAITING], "", "1 session holds a lock that is needed: 77 (anna, psql, idle in transaction)"),
        ([], "timeout expired", "The server does not answer: timeout expired"),
    ],
)
def test_the_error_says_what_why_and_what_next(sessions: list[Session], unreachable: str, words: str) -> None:
    error = stalled(300, "app on host", sessions, unreachable)
    assert "for 300 s" in error.what
    assert words in error.why
    assert "--stall-timeout" in error.next_step
