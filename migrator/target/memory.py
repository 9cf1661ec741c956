"""The memory of the machine that the server runs on, as far as the server or the machine itself tells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from migrator.core.memory import available_kib, build_memory_kib

_MEMINFO = "/proc/meminfo"
_READ = """SELECT CASE WHEN has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE')
THEN pg_read_file(%s, 0, 65536, true) END"""
_GROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current")


def choose_build_memory(connection: psycopg.Connection, connections: int) -> int:
    """KiB for the maintenance_work_mem of each of so many connections."""
    query = "SELECT setting::int FROM pg_settings WHERE name = 'maintenance_work_mem'"
    row = connection.execute(query).fetchone()
    return build_memory_kib(_available(connection), row[0] if row else 64 * 1024, connections)


def _available(connection: psycopg.Connection) -> int | None:
    """A role that may read the server's files is told; a server on this machine is seen from here."""

    def ask(path: str) -> str:
        with suppress(psycopg.Error):
            row = connection.execute(_READ, (path,)).fetchone()
            return str(row[0] or "") if row else ""
        return ""

    return _read(ask) or (_read(_here) if _runs_here(connection.info.backend_pid) else None)


def _read(read: Callable[[str], str]) -> int | None:
    return available_kib(read(_MEMINFO), *map(read, _GROUP))


def _here(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(encoding="ascii")
    return ""


def _runs_here(pid: int) -> bool:
    """An address says nothing: what listens on 127.0.0.1 may be a tunnel. The server's process is seen, or not."""
    return _here(f"/proc/{pid}/comm").strip() == "postgres"
