"""What was measured, for people, for programs, and for docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.contenders import Contender
from benchmarks.machine import Machine
from benchmarks.results import Goal, Ratio, Result, Spread, goals

VERSION = 1
BEGIN = "<!-- measured: begin. Written by scripts/bench --write; edits between these lines are lost. -->"
END = "<!-- measured: end -->"
_HEADINGS = ("", "rows", "seconds (min–max)", "ratio (min–max)", "CPU s", "server's CPU s", "peak MB", "rows/s")
NO_PGLOADER = "pgloader was not measured; where it is missing: apt-get install pgloader"


@dataclass(frozen=True)
class Report:
    machine: Machine
    server: str
    states: int
    source_bytes: int
    binary_bytes: int
    repeat: int
    contenders: Sequence[Contender]
    results: Sequence[Result]

    @property
    def goals(self) -> list[Goal]:
        return goals(self.results)


def to_json(report: Report) -> str:
    body = {
        "kind": "benchmark",
        "version": VERSION,
        "machine": asdict(report.machine),
        "postgresql": report.server,
        "data": {
            "states": report.states,
            "source_bytes": report.source_bytes,
            "binary_bytes": report.binary_bytes,
        },
        "repeat": report.repeat,
        "commands": {contender.key: contender.command for contender in report.contenders},
        "results": {result.key: asdict(result) | {"rows_per_s": result.rows_per_s} for result in report.results},
        "goals": [asdict(goal) | {"reached": goal.reached} for goal in report.goals],
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def to_text(report: Report) -> str:
    """For a terminal."""
    cells = [_HEADINGS, *map(_cells, report.results)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    return "\n".join(
        [*_about(report), "", *lines, "", *_phases(report), "", *map(_goal, report.goals), *_notes(report)]
    )


def to_markdown(report: Report) -> str:
    """The generated part of docs/performance.md, without its markers."""
    table = [_HEADINGS, ("---", *["---:"] * (len(_HEADINGS) - 1)), *map(_cells, report.results)]
    return "\n".join(
        [
            *[f"- {line}" for line in _about(report)],
            "",
            *["| " + " | ".join(row) + " |" for row in table],
            "",
            *_phases(report),
            "",
            *[f"- {_goal(goal)}" for goal in report.goals],
            *[f"- {note}" for note in _notes(report)],
            "",
            "The commands, with `recorder.db`, `plan.toml`, `states.bin` and a URL in place of paths and ports:",
            "",
            "```",
            *[contender.command for contender in report.contenders],
            "```",
        ]
    )


def replace_measured(document: str, measured: str) -> str:
    """The document with `measured` between its markers. Raises ValueError if they are not there once, in order."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end) or BEGIN in tail or END in tail:
        raise ValueError(f"the document needs these two lines once each:\n{BEGIN}\n{END}")
    return f"{head}{BEGIN}\n{measured.strip()}\n{END}{tail}"


def _about(report: Report) -> list[str]:
    machine = report.machine
    runs = f"Medians of {report.repeat} rounds" if report.repeat > 1 else "One round"
    return [
        f"{machine.date}. {runs} in one run, all contenders in turn.",
        f"{machine.cores} cores of {machine.processor}, {machine.memory_bytes / 2**30:.0f} GiB, {machine.system}.",
        f"PostgreSQL {report.server}, default settings, on the same machine.",
        f"Python {machine.python}, apsw {machine.apsw}, psycopg {machine.psycopg}, "
        + (f"pgloader {machine.pgloader}." if machine.pgloader else "no pgloader."),
        f"recorder.db: {report.states:,} states, {report.source_bytes / 1e6:,.1f} MB; "
        f"states.bin: {report.binary_bytes / 1e6:,.1f} MB.",
    ]


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.label,
        f"{result.rows:,}",
        _spread(result.seconds),
        _ratio(result.ratio),
        "" if result.cpu_s is None else f"{result.cpu_s:.2f}",
        "" if result.server_cpu_s is None else f"{result.server_cpu_s:.2f}",
        f"{result.peaks_bytes[0] / 1e6:.0f}" if result.peaks_bytes else "",
        f"{result.rows_per_s:,.0f}",
    )


def _ratio(ratio: Ratio | None) -> str:
    return f"{_spread(ratio.spread)} × {ratio.to}" if ratio else ""


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    label, *figures = row
    return "  ".join([label.ljust(widths[0]), *map(str.rjust, figures, widths[1:])])


def _phases(report: Report) -> list[str]:
    run = next(result for result in report.results if result.key == "run")
    copies = [result for result in report.results if result.key.startswith("copy-")]
    phases = " · ".join(f"{phase} {seconds:.2f}" for phase, seconds in run.phases.items())
    starts = ", ".join(f"{result.phases['start']:.2f} s ({result.label})" for result in copies)
    return [
        f"Seconds of the run by phase (medians): {phases}.",
        "",
        f"Before the clock of a copy alone, the workers start and pin the snapshot: {starts}.",
    ]


def _goal(goal: Goal) -> str:
    verdict = {True: "reached", False: "missed", None: "not measured"}[goal.reached]
    measured = "" if goal.ratio is None else f"{goal.ratio:.2f}, "
    return f"Target: {goal.text} ≤ {goal.most}: {measured}**{verdict}**."


def _notes(report: Report) -> list[str]:
    by_key = {result.key: result for result in report.results}
    notes = []
    if report.machine.busy:
        notes.append(f"The machine was busy before it began (load {report.machine.load:.1f}): trust none of this.")
    if "pgloader" not in by_key:
        notes.append(NO_PGLOADER)
    elif lost := by_key["run"].rows - by_key["pgloader"].rows:
        notes.append(f"pgloader left out {lost:,} rows and exited with 0.")
    return notes
