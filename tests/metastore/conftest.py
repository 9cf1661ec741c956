"""Home Assistant's test harness, with this repository's integrations switched on."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

# Imported before the harness starts Home Assistant: its own folder of that name would hide ours.
import custom_components  # noqa: F401
from migrator.embedded import embedded_server

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _our_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant, where a test has one, load what lies in custom_components."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL server, which the session's tests share."""
    with tempfile.TemporaryDirectory(prefix="metastore-tests-") as folder:
        Path(folder).chmod(0o755)  # the tests of root start the server as another user
        with embedded_server(Path(folder) / "data") as url:
            yield url


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    """The URL of a database of its own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgresql, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield postgresql.replace("@/postgres?", f"@/{name}?")
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'metastore.db'}"
    return str(request.getfixturevalue("empty_postgresql"))
