"""Doors, the functions that send SQL, and tables: three columns with lines between them, as places in a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from migrator.core.audit.result import Audit

WIDTH, ROW, TOP = 840, 24, 16  # units of the drawing
MOST = 60  # of one column; with more nobody could follow a line
_COLUMNS = (270, 330, 550, 640)  # where labels end, lines begin, lines end, labels begin
_LONGEST = (38, 31, 28)  # signs of a label


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    anchor: str
    text: str
    title: str


@dataclass(frozen=True)
class Line:
    path: str
    writes: bool


@dataclass(frozen=True)
class Picture:
    height: int
    labels: tuple[Label, ...]
    lines: tuple[Line, ...]


def picture(audit: Audit) -> Picture | None:
    """None where there is nothing to connect, or too much."""
    doors, uses = _connections(audit)
    tables = sorted({table for _, table, _ in uses})
    functions = _by_neighbours([(function, table) for function, table, _ in uses], tables)
    names = [_by_neighbours(doors, functions), functions, tables]
    if not doors or any(len(column) > MOST for column in names):
        return None
    height = TOP + ROW * max(map(len, names))
    places = [_places(column, height) for column in names]
    lines = [_line(0, places[0][door], places[1][function], False) for door, function in doors]
    lines += [_line(2, places[1][function], places[2][table], writes) for function, table, writes in uses]
    return Picture(height, tuple(_labels(places)), tuple(lines))


def _connections(audit: Audit) -> tuple[list[tuple[str, str]], list[tuple[str, str, bool]]]:
    """(door, function that sends SQL) and (function, table, whether it writes), each once."""
    doors: dict[tuple[str, str], None] = {}
    for door in (*audit.endpoints, *audit.jobs):
        name = f"{door.method} {door.path}" if door in audit.endpoints else f"{door.method}: {door.place.function}"
        doors |= {(name, item.functions[-1]): None for item in door.through}
    used = {function for _, function in doors}
    uses = {
        (place.function, table.name, writes): None
        for table in audit.tables
        for writes, places in ((True, table.written_by), (False, table.read_by))
        for place in places
        if place.function in used
    }
    return list(doors), list(uses)


def _by_neighbours(pairs: Iterable[tuple[str, str]], others: Sequence[str]) -> list[str]:
    """The first ones in the order of what they are connected with, so that few lines cross."""
    near: dict[str, list[int]] = defaultdict(list)
    for name, other in pairs:
        near[name].append(others.index(other))
    return sorted(near, key=lambda name: (sum(near[name]) / len(near[name]), name))


def _places(column: Sequence[str], height: int) -> Mapping[str, float]:
    """Spread over the whole height."""
    step = (height - TOP) / len(column)
    return {name: round(TOP + step * (number + 0.5), 1) for number, name in enumerate(column)}


def _labels(places: Sequence[Mapping[str, float]]) -> Iterable[Label]:
    middle = (_COLUMNS[1] + _COLUMNS[2]) / 2
    ends = ((_COLUMNS[0], "end"), (middle, "middle"), (_COLUMNS[3], "start"))
    for (x, anchor), longest, column in zip(ends, _LONGEST, places, strict=True):
        for name, y in column.items():
            yield Label(x, y + 4, anchor, name if len(name) <= longest else f"{name[: longest - 1]}…", name)


def _line(column: int, y: float, to_y: float, writes: bool) -> Line:
    x, to_x = _COLUMNS[column] + 6, _COLUMNS[column + 1] - 6
    bend = (x + to_x) / 2
    return Line(f"M{x:g} {y:g}C{bend:g} {y:g} {bend:g} {to_y:g} {to_x:g} {to_y:g}", writes)
