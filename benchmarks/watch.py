"""Run one program to its end and see what it took: wall clock, processor time, and the memory of each process.

Processor time is the kernel's sum over the program and all its descendants that were waited for; the server, which is
no descendant, is not in it. Memory is VmHWM, the peak that the kernel keeps for each process, read often enough that
little of the last moment is missed. (The kernel's own ru_maxrss would not do: it survives exec, so a small program
would show the memory of the one that started it.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_EVERY_S = 0.05
STOP_WITHIN_S = 10.0
_PROC = Path("/proc")


@dataclass(frozen=True)
class Watched:
    """`peaks_bytes`: one number per process, the largest first; empty where there is no /proc."""

    exit_code: int
    wall_s: float
    cpu_s: float
    peaks_bytes: tuple[int, ...]
    stdout: str
    stderr: str


def watch(command: Sequence[str | Path], folder: Path) -> Watched:
    """Run `command` in `folder`. It gets a process group of its own, which ends when this function does."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
        )  # fmt: skip
        memory = _Memory(process.pid)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            memory.stop()
            if process.returncode is None:
                _end(process)
        for file in (out, err):
            file.seek(0)
        peaks = tuple(sorted(memory.peaks.values(), reverse=True))
        cpu_s = usage.ru_utime + usage.ru_stime
        return Watched(process.returncode, wall_s, cpu_s, peaks, out.read(), err.read())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to stop, and insist after a while."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class _Memory:
    """Samples a process tree. The last reading of a process counts: before exec it shows its parent's memory."""

    def __init__(self, root: int) -> None:
        self.peaks: dict[int, int] = {}
        self._root = root
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_EVERY_S):
            family = [self._root]
            for pid in family:
                if peak := _peak_bytes(pid):
                    self.peaks[pid] = peak
                family.extend(_children(pid))


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return children


def _peak_bytes(pid: int) -> int | None:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
