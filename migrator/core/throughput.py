"""How fast rows arrived: from the units of a run to rows per second over the time at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

PARTS = 120


@dataclass(frozen=True)
class Arrival:
    """A table, or a range of its rowids, that has arrived in the target: in which attempt, and when its copy began."""

    table: str
    low: int | None
    high: int | None
    rows: int
    rejected: int
    attempt: int
    begun_at: datetime
    arrived_at: datetime

    def line(self) -> dict[str, Any]:
        """As it stands in units.jsonl; times are UTC."""
        times = {name: getattr(self, name).astimezone(UTC).isoformat() for name in ("begun_at", "arrived_at")}
        return asdict(self) | times


@dataclass(frozen=True)
class Throughput:
    """`rates` are mean rows per second in equally long parts of `seconds`, the time at work.

    The time between an interruption and the next attempt is left out; `resumed_s` says where that was.
    """

    seconds: float = 0.0
    rows: int = 0
    rates: tuple[float, ...] = ()
    resumed_s: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def peak(self) -> float:
        return max(self.rates, default=0.0)


def measure(arrivals: Iterable[Arrival], parts: int = PARTS) -> Throughput:
    """A unit's rows count as spread evenly over the time from its begin to its arrival."""
    ordered = sorted(arrivals, key=lambda arrival: (arrival.attempt, arrival.begun_at))
    spans: list[tuple[float, float, int]] = []
    resumed: list[float] = []
    at_work_s = 0.0
    for _, units in groupby(ordered, key=lambda arrival: arrival.attempt):
        if spans:
            resumed.append(at_work_s)
        spans += _on_the_clock(list(units), at_work_s)
        at_work_s = max(end for _, end, _ in spans)
    rows = sum(rows for _, _, rows in spans)
    if not at_work_s:
        return Throughput(0.0, rows)
    return Throughput(at_work_s, rows, tuple(_rates(spans, at_work_s, parts)), tuple(resumed))


def _on_the_clock(units: Sequence[Arrival], before_s: float) -> Iterator[tuple[float, float, int]]:
    """(begin, end, rows) of one attempt's units, which begins when `before_s` seconds of work are done."""
    origin = units[0].begun_at
    for unit in units:
        begin = before_s + (unit.begun_at - origin).total_seconds()
        # The server's clock may have been set back meanwhile.
        yield begin, max(begin, before_s + (unit.arrived_at - origin).total_seconds()), unit.rows


def _rates(spans: Iterable[tuple[float, float, int]], seconds: float, parts: int) -> list[float]:
    width = seconds / parts
    rows = [0.0] * parts
    for begin, end, count in spans:
        first, last = (min(int(edge / width), parts - 1) for edge in (begin, end))
        for part in range(first, last + 1):
            shared = min(end, (part + 1) * width) - max(begin, part * width)
            rows[part] += count * (shared / (end - begin) if last > first else 1.0)
    return [count / width for count in rows]
