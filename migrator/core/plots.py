"""The geometry of a report's two plots: numbers in, places in percent and SVG paths out.

Across, everything is in percent of the plot's width, so that a plot fills a page or a phone while its text keeps its
size. Paths are drawn in a box of WIDTH × 100 that is stretched to the plot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 1000
HEIGHT = 100
_ROUND = (1, 2, 5)
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
_UNITS = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))
_SHOWN_PERCENT = 0.4  # a bar of no length would not be seen


@dataclass(frozen=True)
class Tick:
    """`at` is its place in percent of the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A phase: `start` and `length` in percent of the whole, `share` of 1."""

    name: str
    seconds: float
    start: float
    length: float
    share: float


def ceiling(maximum: float, steps: int = 4) -> float:
    """The least round number that is not below the maximum, as `steps` round steps or fewer; 1 for nothing."""
    if maximum <= 0:
        return 1.0
    step = _round_step(maximum / steps)
    return math.ceil(maximum / step - 1e-9) * step


def ticks(top: float, steps: int = 4) -> list[Tick]:
    """Round steps from 0 to `top`, which is a `ceiling`."""
    step = _round_step(top / steps)
    return [Tick(percent(n * step, top), short(n * step)) for n in range(round(top / step) + 1)]


def time_ticks(seconds: float, steps: int = 6) -> list[Tick]:
    """Round times from 0 on, none so near to the end that its label would be cut off."""
    if seconds <= 0:
        return [Tick(0.0, duration(0))]
    least = seconds / steps
    step = next((step for step in _ROUND_S if step >= least), None) if least > 1 else _round_step(least)
    step = step or math.ceil(least / 86400) * 86400
    count = int(seconds * 0.94 / step)
    return [Tick(percent(n * step, seconds), duration(n * step)) for n in range(count + 1)]


def line_path(values: Sequence[float], top: float) -> str:
    """The values as steps of equal width, from left to right."""
    if not values:
        return ""
    width = WIDTH / len(values)
    heights = [HEIGHT * (1 - value / top) for value in values]
    steps = [f"V{_n(height)}H{_n((n + 1) * width)}" for n, height in enumerate(heights)]
    return f"M0,{_n(heights[0])}" + "".join(steps)


def area_path(values: Sequence[float], top: float) -> str:
    """The area below the steps."""
    return f"{line_path(values, top)}V{HEIGHT}H0Z" if values else ""


def waterfall(seconds: Mapping[str, float]) -> list[Bar]:
    """One bar for each phase, each beginning where the one before has ended."""
    whole = sum(seconds.values())
    bars, begun = [], 0.0
    for name, taken in seconds.items():
        length = max(percent(taken, whole), _SHOWN_PERCENT)
        bars.append(Bar(name, taken, min(percent(begun, whole), 100 - length), length, taken / whole if whole else 0))
        begun += taken
    return bars


def percent(value: float, whole: float) -> float:
    """To hundredths, between 0 and 100."""
    return round(min(max(100 * value / whole, 0.0), 100.0), 2) if whole else 0.0


def duration(seconds: float) -> str:
    """As a person says it: 400 ms, 12 s, 3 min 5 s, 2 h 10 min, 1 d 3 h."""
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    name, size, below, part = next(unit for unit in _UNITS if whole >= unit[1])
    rest = whole % size // part
    return f"{whole // size} {name}" + (f" {rest} {below}" if rest else "")


def short(number: float) -> str:
    """For an axis: 500, 20k, 1.5M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, the first that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in _ROUND if factor * power >= least * (1 - 1e-9)), 10 * power)


def _n(number: float) -> str:
    """A coordinate in few letters."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
