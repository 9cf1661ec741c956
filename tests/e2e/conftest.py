"""Homes for the tests: one that has everything, and one that only watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from home_assistant import EVERYTHING, HomeAssistant, running
from mirrored import Database, postgresql

from migrator.embedded import embedded_server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Everything that Home Assistant has to show; nobody mirrors it yet."""
    with running(tmp_path_factory.mktemp("home") / "config", EVERYTHING) as home:
        yield home


@pytest.fixture(scope="module")
def observer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Has nothing of its own, and mirrors another."""
    with running(tmp_path_factory.mktemp("observer") / "config") as observer:
        yield observer


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    """A PostgreSQL that is started for the occasion, on a socket in a folder that only its owner can enter."""
    with TemporaryDirectory(prefix="metastore-e2e-") as folder:
        Path(folder).chmod(0o711)  # as root it is somebody else's, who has to come through
        with embedded_server(Path(folder) / "cluster") as url:
            yield postgresql(url)
