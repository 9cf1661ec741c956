"""A watchdog over one attempt: where nothing moves for too long, it ends what waits, and the attempt with it.

Only it can end some waits. A link that is cut is noticed by TCP (target.connection sets its time limits), but a proxy
or a firewall that goes on taking bytes and delivers none is not.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from psycopg.rows import class_row

from migrator.core.errors import Stalled, TargetError
from migrator.core.stall import Session, Signs, Stillness, Usage, stalled
from migrator.target.connection import APPLICATION_NAME, Target, connect, hang_up_all, hurried, target_errors
from migrator.workers import WorkerPool

ANSWER_WITHIN_S = 5
# A host that cannot be reached must not take the usual time to say so.
_IMPATIENT = {
    "application_name": f"{APPLICATION_NAME} watchdog",
    "connect_timeout": str(ANSWER_WITHIN_S),
    "tcp_user_timeout": str(ANSWER_WITHIN_S * 1000),
}
_SESSIONS = """
SELECT a.pid, coalesce(a.state, 'disabled') AS state, a.wait_event_type AS waits_for,
       extract(epoch FROM clock_timestamp() - coalesce(a.state_change, a.backend_start))::float8 AS still_s,
       ARRAY(SELECT format('%%s (%%s, %%s, %%s)', b.pid, coalesce(b.usename, '?'),
                           coalesce(nullif(b.application_name, ''), 'without a name'), coalesce(b.state, '?'))
             FROM pg_stat_activity b
             WHERE a.wait_event_type = 'Lock' AND b.pid = ANY(pg_blocking_pids(a.pid))) AS blockers
FROM pg_stat_activity a
WHERE a.application_name = %s AND a.datname = current_database() AND a.pid <> pg_backend_pid() ORDER BY a.pid
"""

P = ParamSpec("P")
R = TypeVar("R")


class Watchdog:
    """Looks after everything of this process from entry to exit. `stall` is set when it has bitten."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self.stall: Stalled | None = None
        self._target = target
        self._timeout_s = timeout_s
        self._told = False
        self._left = threading.Event()
        self._paused = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: TracebackType | None) -> None:
        self._left.set()
        if isinstance(error, Exception) and (told := self.or_stall(error)) is not error:
            raise told from None

    def follow(self, target: Target) -> None:
        """From now on the sessions are those that `target` names."""
        self._target = target

    def or_stall(self, error: BaseException) -> BaseException:
        """The stall, where one has led to that error. Asked again, it is the error's own: what is told stays told."""
        told, self._told = self._told, True
        return self.stall if self.stall and not told and isinstance(error, Exception) else error

    def pausing(self, ask: Callable[P, R]) -> Callable[P, R]:
        """`ask`, while which nobody has to hurry: a person answers it."""

        def asked(*arguments: P.args, **options: P.kwargs) -> R:
            self._paused.set()
            try:
                return ask(*arguments, **options)
            finally:
                self._paused.clear()

        return asked

    def _watch(self) -> None:
        stillness = Stillness(self._timeout_s, _signs(), time.monotonic())
        while not self._left.wait(stillness.look_every_s):
            over = stillness.look(_signs(), time.monotonic())
            if self._paused.is_set():
                stillness.still_s = 0.0
            elif over and (stall := self._ask(stillness)):
                self.stall = self.stall or stall
                for pool in list(WorkerPool.running):
                    pool.terminate()
                hang_up_all()
                stillness.still_s = 0.0  # what tidies up now may wait as long

    def _ask(self, stillness: Stillness) -> Stalled | None:
        try:
            sessions = _read_sessions(self._target)
        except TargetError as error:
            return stalled(self._timeout_s, self._target.shown, (), error.why)
        if not stillness.answered(sessions):
            return None
        return stalled(self._timeout_s, self._target.shown, sessions)


def _read_sessions(target: Target) -> list[Session]:
    """The sessions that `target` names, over a connection of its own. Raises TargetError, soon."""
    name = target.parameters.get("application_name", APPLICATION_NAME)
    connection = connect(replace(target, parameters={**target.parameters, **_IMPATIENT}))
    try:
        with (
            target_errors(target, "a look at its sessions"),
            hurried(connection, ANSWER_WITHIN_S),
            connection.cursor(row_factory=class_row(Session)) as cursor,
        ):
            return cursor.execute(_SESSIONS, (name,)).fetchall()
    finally:
        connection.close()


def _signs() -> Signs:
    pools = list(WorkerPool.running)
    usage = dict(_usage([pid for pool in pools for pid in pool.pids]))
    return Signs(sum(pool.messages for pool in pools), usage)


def _usage(workers: list[int]) -> Iterator[tuple[int, Usage]]:
    """Of the workers, and of this process's main thread: the others show progress, or are the watchdog itself."""
    if not Path("/proc/self/stat").exists():
        yield from _usage_by_ps(workers)
        return
    main = threading.main_thread().native_id
    for folder in [*(Path("/proc", str(pid)) for pid in workers), Path("/proc", "self", "task", str(main))]:
        with contextlib.suppress(OSError):  # a worker that has just ended
            yield int(folder.name), Usage(_cpu_s(folder), _file_bytes(folder))


def _usage_by_ps(workers: list[int]) -> Iterator[tuple[int, Usage]]:
    """Where there is no /proc, as on macOS. Processes only, and nothing of files."""
    pids = ",".join(map(str, [*workers, os.getpid()]))
    listed = subprocess.run(["ps", "-o", "pid=,time=", "-p", pids], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        pid, used = line.split()
        days, _, clock = used.rpartition("-")
        seconds = sum(float(part) * 60**power for power, part in enumerate(reversed(clock.split(":"))))
        yield int(pid), Usage(int(days or 0) * 86_400 + seconds, 0)


def _cpu_s(folder: Path) -> float:
    """https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15 are clock ticks."""
    user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _file_bytes(folder: Path) -> int:
    """Of read() and write(), which files and pipes go through and libpq's sockets do not; 0 where it is kept secret."""
    with contextlib.suppress(PermissionError):
        lines = (folder / "io").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("rchar", "wchar")))
    return 0
