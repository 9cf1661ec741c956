"""How fast a program is audited and rewritten: `python -m benchmarks.audit [--lines N …] [--write]`

The program is made of the applications among the tests' fixtures, side by side as often as it takes. Their functions
and modules have the same names each time, which is the hard case: a call may be of any function that is named like it.
Their tables have names of their own, so that no statement is like another.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.contenders import python
from benchmarks.machine import this_machine
from benchmarks.rounds import scratch_folder
from benchmarks.watch import Watched

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN = "<!-- audit: begin. Written by scripts/bench audit --write; edits between these lines are lost. -->"
END = "<!-- audit: end -->"
APPLICATIONS = ROOT / "tests" / "fixtures" / "applications"
SIZES = (10_000, 100_000)
_HEADINGS = ("command", "lines", "files", "found", "s", "CPU s", "lines per s", "MB", "kB per line")


@dataclass(frozen=True)
class Line:
    command: str
    lines: int
    files: int
    found: str
    seconds: float
    cpu_s: float
    bytes: int

    def cells(self) -> tuple[str, ...]:
        return (
            self.command,
            f"{self.lines:,}",
            f"{self.files:,}",
            self.found,
            f"{self.seconds:.1f}",
            f"{self.cpu_s:.1f}",
            f"{self.lines / self.seconds:,.0f}",
            f"{self.bytes / 1e6:.0f}",
            f"{self.bytes / 1e3 / self.lines:.1f}",
        )


def make_program(folder: Path, lines: int) -> None:
    """At least so many lines of Python."""
    applications = sorted(path for path in APPLICATIONS.iterdir() if path.is_dir())
    for number in count():
        application = applications[number % len(applications)]
        made = folder / f"system_{number:04}"
        shutil.copytree(application, made, ignore=shutil.ignore_patterns("drive.py", "rows.sql", "__pycache__"))
        _rename_tables(made, number)
        lines -= sum(path.read_text(encoding="utf-8").count("\n") for path in made.rglob("*.py"))
        if lines <= 0:
            return


def _rename_tables(system: Path, number: int) -> None:
    """Leaves alone what is called like a module."""
    files = [path for ending in ("*.py", "*.sql") for path in system.rglob(ending)]
    modules = {path.stem for path in files} | {path.parent.name for path in files}
    tables = set(re.findall(r"^CREATE TABLE (\w+)", (system / "schema.sql").read_text(encoding="utf-8"), re.MULTILINE))
    name = re.compile(rf"\b({'|'.join(sorted(tables - modules))})\b")
    for path in files:
        path.write_text(name.sub(rf"\1_{number}", path.read_text(encoding="utf-8")), encoding="utf-8")


def measure(program: Path, scratch: Path) -> tuple[Line, Line]:
    """Raises BenchmarkFailed."""
    done = python(scratch, "migrator", "audit", program, "--json")
    body = json.loads(done.stdout)
    lines, files = body["summary"]["lines"], body["summary"]["files"]
    found = f"{body['summary']['statements']:,} statements, {len(body['hazards']):,} hazards"
    audited = _line("audit", lines, files, found, done)
    # It exits with 7, because there is something to be changed.
    done = python(scratch, "migrator", "rewrite", "python", program, "--json", expected=7)
    summary = json.loads(done.stdout)["summary"]
    found = f"{summary['files']:,} files to be changed, {summary['left']:,} places left"
    return audited, _line("rewrite python", lines, files, found, done)


def _line(command: str, lines: int, files: int, found: str, done: Watched) -> Line:
    peak = done.peaks_bytes[0] if done.peaks_bytes else 0
    return Line(command, lines, files, found, done.wall_s, done.cpu_s, peak)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench audit")
    parser.add_argument("--lines", type=int, nargs="+", default=SIZES)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    machine, lines = this_machine(), []
    with scratch_folder() as scratch:
        for size in options.lines:
            program = scratch / f"program_{size}"
            make_program(program, size)
            for line in measure(program, scratch):
                lines.append(line)
                sys.stderr.write("  ".join(line.cells()) + "\n")
    rows = [_HEADINGS, ["---:"] * len(_HEADINGS), *(line.cells() for line in lines)]
    about = (
        f"{machine.date}. {machine.cores} cores of {machine.processor}, one run each, load {machine.load:.1f} before."
    )
    text = "\n".join([about, "", *("| " + " | ".join(row) + " |" for row in rows)])
    sys.stdout.write(text + "\n")
    if options.write:
        head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
