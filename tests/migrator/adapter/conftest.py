"""The shop, moved once to each server, and fresh copies of both sides for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .both import Both, Moved, moved


@pytest.fixture(scope="session", params=["embedded", "debian"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    server = request.getfixturevalue(f"{request.param}_server")
    with moved(server, tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.fixture(scope="session")
def unchanged(shop: Moved, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """One copy for all tests that leave everything as it is."""
    with shop.copies(tmp_path_factory.mktemp("unchanged"), "unchanged") as copies:
        yield copies


@pytest.fixture
def both(shop: Moved, tmp_path: Path) -> Iterator[Both]:
    with shop.copies(tmp_path) as copies:
        yield copies
