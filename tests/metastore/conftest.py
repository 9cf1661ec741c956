"""Home Assistant's test harness, with this repository's integrations switched on."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

# Imported before the harness starts Home Assistant: its own folder of that name would hide ours.
import custom_components  # noqa: F401
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.upgrade import upgrade
from migrator.embedded import embedded_server

from .mirrored import Mirrored, mirrored_by
from .simulated_home import SimulatedHome

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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the present schema."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(database_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def home(socket_enabled: None) -> SimulatedHome:
    return SimulatedHome(12, 30)


@pytest.fixture
async def mirrored(
    request: pytest.FixtureRequest, home: SimulatedHome, template: Path, tmp_path: Path
) -> AsyncIterator[Mirrored]:
    """The parameter is the time between two polls, in seconds."""
    path = Path(shutil.copy(template, tmp_path / "metastore.db"))
    async with mirrored_by(home, path, poll_interval_s=getattr(request, "param", 0.02)) as found:
        yield found
