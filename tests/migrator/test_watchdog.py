"""What the watchdog sees of processes. What it makes of it: core/test_stall.py; in earnest: test_network_faults.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from migrator.core.stall import Signs
from migrator.steps.watchdog import _usage, _usage_by_ps

LIVES = {
    "waits": "import sys; sys.stdin.read()",
    "waits as psycopg does": "import select\nwhile True: select.select([], [], [], 0.1)",
    "computes": "while True: pass",
    "reads": "while True:\n open('/etc/hostname', 'rb').read()\n __import__('time').sleep(0.05)",
}


@pytest.fixture(params=LIVES)
def life(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", LIVES[request.param]]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        time.sleep(1)  # its start is over
        yield request.param, process.pid
        process.kill()


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="there is no /proc here")  # noqa: PTH110
def test_who_works_is_told_from_who_waits(life: tuple[str, int]) -> None:
    what, pid = life
    before = Signs(0, {pid: dict(_usage([pid]))[pid]})
    time.sleep(1)
    after = Signs(0, {pid: dict(_usage([pid]))[pid]})
    assert after.moved_since(before, elapsed_s=1.0) == (what in ("computes", "reads"))


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
def test_where_there_is_no_proc_ps_is_asked() -> None:
    with subprocess.Popen([sys.executable, "-c", LIVES["computes"]]) as process:
        used = 0.0
        while used < 1:  # ps counts whole seconds here
            time.sleep(0.2)
            found = dict(_usage_by_ps([process.pid]))
            used = found[process.pid].cpu_s
        process.kill()
    assert found.keys() == {process.pid, os.getpid()}
