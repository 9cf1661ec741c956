"""Worker processes over one snapshot: each has its own SQLite connection and, where asked, its own to PostgreSQL.

They are processes because encoding rows is bound by the interpreter, and they outlive single tasks because the snapshot
is theirs: pinned once, read by census, copy and verification.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import apsw

from migrator.core.errors import Failure, MigratorError
from migrator.core.redact import redact
from migrator.source.connection import connect as connect_source
from migrator.source.connection import source_errors
from migrator.source.snapshot import SnapshotMethod, choose_snapshot, fence, pin
from migrator.source.soundness import check_pages, ordinary_tables

if TYPE_CHECKING:
    import psycopg

    from migrator.target.connection import Target

REPORT_EVERY_S = 0.2
GARBAGE_THRESHOLD = 100_000  # objects; several batches of rows


class Task(Protocol):
    def run(self, context: Context) -> Any: ...


@dataclass
class Context:
    """What a task finds in its worker. `cache` lives as long as the worker.

    `path` is the database, of which `database` is a connection; or the folder of an export.
    """

    path: Path
    database: apsw.Connection | None
    target: Target | None
    send: Callable[[tuple[str, Any]], None]
    cache: dict[Any, Any] = field(default_factory=dict)
    rows: int = 0  # counted by this worker so far
    _connection: psycopg.Connection | None = None
    _unreported: int = 0
    _reported_at: float = 0.0

    @property
    def source(self) -> apsw.Connection:
        """SQLite, for tasks that are given to nobody who has none."""
        assert self.database is not None
        return self.database

    @property
    def connection(self) -> psycopg.Connection:
        """This worker's connection to PostgreSQL, made when it is first needed."""
        if self._connection is None:
            # Most of a worker's start is psycopg, and the census needs none of it.
            from migrator.target.connection import connect_for_building

            assert self.target is not None
            self._connection = connect_for_building(self.target)
        return self._connection

    def report(self, rows: int) -> None:
        """Count rows for the progress display; sent a few times a second. Work that is done again counts back.

        No rows are a sign of life: bytes have moved.
        """
        self.rows += rows
        self._unreported += rows
        now = time.monotonic()
        if now - self._reported_at > REPORT_EVERY_S:
            self._send()
            self._reported_at = now

    def flush(self) -> None:
        if self._unreported:
            self._send()

    def _send(self) -> None:
        self.send(("progress", self._unreported))
        self._unreported = 0


@dataclass(frozen=True)
class Pin:
    """Begin the read transaction that all later tasks of this worker share; returns the names of the tables in it."""

    def run(self, context: Context) -> list[str]:
        pin(context.source)
        return ordinary_tables(context.source)


@dataclass(frozen=True)
class Check:
    """Have SQLite look at a table's pages. Raises SourceError where they are damaged."""

    table: str

    def run(self, context: Context) -> None:
        check_pages(context.source, context.path, self.table)


def work(descriptor: int) -> None:
    """A worker's life: open, then one task after the other until the pipe closes."""
    pipe = Connection(descriptor)
    threading.Thread(target=_end_with_the_parent, args=(descriptor,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # The collector's own threshold of 700 lies below one batch of rows: it would walk each batch, and find nothing.
    gc.set_threshold(GARBAGE_THRESHOLD)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        path, target = pipe.recv()
        try:
            context = Context(path, None if path.is_dir() else connect_source(path), target, pipe.send)
            pipe.send(("ready", None))
        except MigratorError as error:
            pipe.send(("error", error))
            return
        while True:
            pipe.send(_answer(pipe.recv(), context))


def _end_with_the_parent(descriptor: int) -> None:
    """A parent that was killed is followed at once: what a task still did would get in the next attempt's way."""
    watch = select.poll()
    watch.register(descriptor, 0)  # no event is asked for, so that only the end of the pipe is told
    while not watch.poll():
        pass
    os._exit(1)


def _answer(task: Task, context: Context) -> tuple[str, Any]:
    try:
        with source_errors(context.path):
            result = task.run(context)
        context.flush()
        return "done", result
    except MigratorError as error:
        return "error", error
    except Exception as error:  # noqa: BLE001  # a worker answers, whatever happens
        password = context.target.password if context.target else None
        where = _innermost(error)
        return "error", Failure(
            f"{type(task).__name__} failed unexpectedly at {where}: "
            + redact(f"{type(error).__name__}: {error}.", password),
            "This is a defect of the migrator; the target was left as it was.",
            "Please report it: https://github.com/ha-metastore/ha-metastore/issues",
        )


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


Worker = tuple["subprocess.Popen[bytes]", Connection]


# -P keeps the current folder, which may hold anything, out of the import path; the last entry is where we came from.
_BOOT = "import sys; sys.path.append(sys.argv[2]); from migrator.workers import work; work(int(sys.argv[1]))"


def _start_worker() -> Worker:
    """A fresh interpreter that imports this module and nothing of the command line, so it starts fast and stays small.

    multiprocessing's own spawn would import the main module, and with it every verb, into each worker.
    """
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno()), str(Path(__file__).parent.parent)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        process_group=0,  # Ctrl-C is for the parent, which ends its workers
    )
    theirs.close()
    return process, ours


class WorkerPool:
    """A fixed number of workers. Not thread-safe: one thread hands out the work.

    `messages` counts what the workers have said while they were at a task. `running` are all pools of this process, for
    a watchdog, which may only look at them and end their processes.
    """

    running: ClassVar[set[WorkerPool]] = set()

    def __init__(self, count: int, path: Path, target: Target | None = None) -> None:
        self.count = count
        self.messages = 0
        self._workers: list[Worker] = []
        self._path = path
        self._target = target

    def __enter__(self) -> WorkerPool:
        self.running.add(self)
        for _ in range(self.count):
            self._workers.append(_start_worker())
        try:
            for worker in self._workers:
                _send(*worker, (self._path, self._target))
            for process, pipe in self._workers:
                _receive(process, pipe)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every worker, whatever it is doing; PostgreSQL rolls its transaction back."""
        self.running.discard(self)
        for process, pipe in self._workers:
            pipe.close()
            try:
                process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                process.terminate()
                process.wait()
        self._workers.clear()

    def terminate(self) -> None:
        """End the processes; whoever waits for one gets a Failure. May be called from any thread."""
        for process, _ in list(self._workers):
            process.terminate()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process, _ in self._workers]

    def broadcast(self, task: Task) -> list[Any]:
        """Run the task once in every worker and return the results."""
        for worker in self._workers:
            _send(*worker, task)
        return [_result(process, pipe, lambda _: None) for process, pipe in self._workers]

    def run(
        self, tasks: Iterable[Task], on_progress: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[Task, Any]]:
        """(task, result) in the order in which tasks end. The first error ends the iteration and is raised."""
        waiting: SimpleQueue[Task] = SimpleQueue()
        count = 0
        for task in tasks:
            waiting.put(task)
            count += 1
        finished: SimpleQueue[tuple[Task | None, Any]] = SimpleQueue()

        def heard(rows: int) -> None:
            self.messages += 1
            on_progress(rows)

        threads = [
            threading.Thread(target=self._serve, args=(worker, waiting, finished, heard), daemon=True)
            for worker in self._workers
        ]
        for thread in threads:
            thread.start()
        for _ in range(count):
            done, result = finished.get()
            if done is None:
                raise result
            yield done, result
        for thread in threads:
            thread.join()

    @staticmethod
    def _serve(
        worker: Worker,
        waiting: SimpleQueue[Task],
        finished: SimpleQueue[tuple[Task | None, Any]],
        on_progress: Callable[[int], None],
    ) -> None:
        process, pipe = worker
        while True:
            try:
                task = waiting.get_nowait()
            except Empty:
                return
            try:
                _send(process, pipe, task)
                finished.put((task, _result(process, pipe, on_progress)))
            except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
                finished.put((None, error))
                return


@contextlib.contextmanager
def pinned_workers(
    count: int, path: Path, scratch: Path, target: Target | None = None
) -> Iterator[tuple[WorkerPool, SnapshotMethod]]:
    """Workers that all see one state of the database, and how it is held; a copy of it goes to `scratch`.

    They are started before the fence, so that the application's writes wait for the pinning alone. Raises SourceError,
    also where the database is damaged.
    """
    method = choose_snapshot(path, scratch)
    with WorkerPool(count, method.path, target) as pool:
        with fence(method):
            tables, *_ = pool.broadcast(Pin())
        list(pool.run([Check(table) for table in tables]))
        yield pool, method


def _result(process: subprocess.Popen[bytes], pipe: Connection, on_progress: Callable[[int], None]) -> Any:
    while True:
        kind, payload = _receive(process, pipe)
        if kind == "progress":
            on_progress(payload)
        else:
            return payload


def _send(process: subprocess.Popen[bytes], pipe: Connection, task: object) -> None:
    try:
        pipe.send(task)
    except OSError as error:
        raise _ended(process) from error


def _ended(process: subprocess.Popen[bytes]) -> Failure:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    return Failure(
        f"A worker process ended without an answer (exit code {process.returncode}).",
        "It was killed from outside, most often by the kernel when memory ran out.",
        "Free memory or use fewer workers: --workers 1",
    )


def _receive(process: subprocess.Popen[bytes], pipe: Connection) -> tuple[str, Any]:
    try:
        kind, payload = pipe.recv()
    except (EOFError, OSError) as error:
        raise _ended(process) from error
    if kind == "error":
        raise payload
    return kind, payload
