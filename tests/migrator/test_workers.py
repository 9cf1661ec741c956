"""Workers that are killed: whenever that happens, a person reads what ended and what to do."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from migrator.core.errors import Failure
from migrator.tasks.query import ReadTask
from migrator.workers import WorkerPool

from .moving import make_source


@pytest.mark.parametrize("asked", ["all", "one"])
def test_a_worker_that_was_killed_while_it_had_nothing_to_do(asked: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "app.db", "CREATE TABLE t (n INTEGER)")
    with WorkerPool(1, source) as pool:
        [worker] = pool.pids
        os.kill(worker, signal.SIGKILL)
        while Path(f"/proc/{worker}/cmdline").read_bytes():
            time.sleep(0.01)
        with pytest.raises(Failure, match=r"exit code -9.*--workers 1"):
            _ = pool.broadcast(ReadTask("SELECT 1")) if asked == "all" else list(pool.run([ReadTask("SELECT 1")]))
