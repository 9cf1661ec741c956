"""Progress on stderr: bars with rate and time left on a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

PLAIN_EVERY_S = 10.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


class TerminalProgress:
    """Bars that are replaced by the next phase's."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, label: str, total: int | None = None) -> None:
        self.finish()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task(label, total=total)

    def advance(self, count: int = 1) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def finish(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)


class PlainProgress:
    """A line when a phase begins, one every ten seconds, one when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._label: str | None = None
        self._total: int | None = None
        self._done = 0
        self._began = self._shown = 0.0

    def start(self, label: str, total: int | None = None) -> None:
        self.finish()
        self._label, self._total, self._done = label, total, 0
        self._began = self._shown = time.monotonic()

    def advance(self, count: int = 1) -> None:
        with self._lock:
            self._done += count
            if self._label and time.monotonic() - self._shown > PLAIN_EVERY_S:
                self._shown = time.monotonic()
                self._line()

    def finish(self) -> None:
        if self._label:
            self._line()
        self._label = None

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _line(self) -> None:
        elapsed = time.monotonic() - self._began
        of = f" of {self._total:,}" if self._total else ""
        self._console.print(f"{self._label}: {self._done:,}{of} in {elapsed:.1f} s", markup=False)
