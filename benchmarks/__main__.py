"""The command line of scripts/bench, which documents it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from benchmarks import report
from benchmarks.contenders import BenchmarkFailed, contenders
from benchmarks.machine import this_machine
from benchmarks.make_recorder import STATES
from benchmarks.results import results
from benchmarks.rounds import Settings, run_rounds, stage
from benchmarks.server import ServerFailed
from migrator.core.errors import MigratorError

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


def main() -> int:
    options = _options()
    for number in _SIGNALS:
        signal.signal(number, _stop)
    # What is measured runs in a scratch folder, and has to find this package from there.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    try:
        _publish(_measure(options), options)
    except Stopped:
        _say("stopped; nothing was written")
        return 130
    except (BenchmarkFailed, MigratorError, ServerFailed) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--states", type=_positive, default=STATES)
    parser.add_argument("--repeat", type=_positive, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--no-pgloader", dest="pgloader", action="store_false")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _measure(options: argparse.Namespace) -> report.Report:
    machine = this_machine()
    if machine.busy:
        _say(f"this machine is busy (load {machine.load:.1f}); what follows will be noise")
    chosen = contenders(options.pgloader and machine.pgloader is not None)
    keep = options.keep.resolve() if options.keep else None
    settings = Settings(options.states, options.repeat, keep, _say)
    with stage(settings) as prepared:
        server = f"{prepared.server.version}, {prepared.server.name}"
        _say(f"PostgreSQL {server}")
        samples = run_rounds(prepared, chosen, settings)
        sizes = prepared.source.stat().st_size, prepared.binary.stat().st_size
    return report.Report(machine, server, options.states, *sizes, options.repeat, chosen, results(chosen, samples))


def _publish(measured: report.Report, options: argparse.Namespace) -> None:
    sys.stdout.write((report.to_json if options.json else report.to_text)(measured) + "\n")
    if options.write:
        document = report.replace_measured(DOCUMENT.read_text(encoding="utf-8"), report.to_markdown(measured))
        DOCUMENT.write_text(document, encoding="utf-8")
        _say(f"{DOCUMENT.relative_to(ROOT)} is written")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    """End in an orderly way, and let nothing interrupt the end."""
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
