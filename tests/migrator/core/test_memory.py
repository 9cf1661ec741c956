"""Sorting an index needs memory; a Raspberry Pi has little, and Home Assistant needs it too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.memory import LEAST_KIB, MOST_KIB, available_kib, build_memory_kib

GIB = 1024 * 1024  # KiB
MEMINFO = "MemTotal:        3884340 kB\nMemFree:          120000 kB\nMemAvailable:    2097152 kB\nBuffers: 1 kB\n"


def test_what_a_machine_has_free() -> None:
    assert available_kib(MEMINFO) == 2 * GIB
    assert available_kib("") is None


@pytest.mark.parametrize(
    ("limit", "used", "free"),
    [
        ("max\n", "100\n", 2 * GIB),
        ("1073741824\n", "536870912\n", GIB // 2),
        ("1073741824\n", "2073741824\n", 0),
        ("99999999999999\n", "0\n", 2 * GIB),
        ("1073741824\n", "", 2 * GIB),
    ],
)
def test_what_a_container_has_free(limit: str, used: str, free: int) -> None:
    assert available_kib(MEMINFO, limit, used) == free


def test_a_server_of_unknown_memory_keeps_its_setting() -> None:
    assert build_memory_kib(None, 65_536, 2) == 65_536


@pytest.mark.parametrize(
    ("machine", "available", "each_mib"),
    [("Raspberry Pi with 1 GB", GIB // 4, 32), ("with 4 GB", 2 * GIB, 256), ("a server", 100 * GIB, 1024)],
)
def test_machines(machine: str, available: int, each_mib: int) -> None:
    assert build_memory_kib(available, 65_536, 2) == each_mib * 1024


@given(st.integers(0, 2**40), st.integers(1, 64))
def test_all_indexes_together_stay_within_a_quarter(available: int, connections: int) -> None:
    each = build_memory_kib(available, 65_536, connections)
    assert LEAST_KIB <= each <= MOST_KIB
    assert each == LEAST_KIB or each * connections <= available // 4
