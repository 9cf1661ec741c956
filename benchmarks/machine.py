"""Where it was measured: figures without their machine mean nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

BUSY_LOAD = 0.5


@dataclass(frozen=True)
class Machine:
    """`load` is the load average of the last minute before anything was measured."""

    date: str
    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    apsw: str
    psycopg: str
    pgloader: str | None
    load: float

    @property
    def busy(self) -> bool:
        return self.load > BUSY_LOAD


def this_machine() -> Machine:
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=_system(),
        python=platform.python_version(),
        apsw=version("apsw"),
        psycopg=version("psycopg"),
        pgloader=pgloader_version(),
        load=os.getloadavg()[0],
    )


def pgloader_version() -> str | None:
    """None where it is not installed."""
    if not shutil.which("pgloader"):
        return None
    said = subprocess.run(["pgloader", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r'version "(.*?)"', said)
    return found[1] if found else "of unknown version"


def _processor() -> str:
    return _field(Path("/proc/cpuinfo"), r"^model name\s*:\s*(.+)$") or platform.machine()


def _system() -> str:
    return _field(Path("/etc/os-release"), r'^PRETTY_NAME="?(.*?)"?$') or platform.system()


def _field(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text(), re.MULTILINE) if path.exists() else None
    return found[1] if found else None
