"""How much memory an index may be sorted in: twice as much is a fifth faster, and too much takes the server down."""

from __future__ import annotations

import re

LEAST_KIB = 16 * 1024
MOST_KIB = 1024 * 1024  # PostgreSQL's sorts gain little beyond
SHARE = 4  # of what is free, one part for all indexes that are built at a time


def available_kib(meminfo: str, limit: str = "", used: str = "") -> int | None:
    """What a machine has free: MemAvailable of /proc/meminfo, or what a container's limit leaves of it.

    `limit` and `used` are memory.max and memory.current of its control group in bytes, or "max", or nothing:
    https://docs.kernel.org/admin-guide/cgroup-v2.html. None where `meminfo` does not say it.
    """
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo, re.MULTILINE)
    if found is None:
        return None
    free = int(found[1])
    if limit.strip().isdigit() and used.strip().isdigit():
        free = min(free, max(0, int(limit) - int(used)) // 1024)
    return free


def build_memory_kib(available: int | None, setting: int, connections: int) -> int:
    """maintenance_work_mem for each of the connections; the server's own `setting` where its memory is not known."""
    if available is None:
        return setting
    return min(MOST_KIB, max(LEAST_KIB, available // SHARE // connections))
