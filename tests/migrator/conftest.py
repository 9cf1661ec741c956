"""Databases for the migrator's tests.

`database` and `debian_database` are URLs of fresh, empty databases; `each_database` runs a test on both servers.
Every xdist worker has servers of its own; they start when the first test asks for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import settings

from . import browser, servers
from .reported import Everything, run_everything

# A run of the checks says the same today and tomorrow. To look for new examples: HYPOTHESIS_PROFILE=searching.
settings.register_profile("repeatable", derandomize=True, print_blob=True)
settings.register_profile("searching", max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def _start(cluster: AbstractContextManager[servers.Server]) -> Iterator[servers.Server]:
    try:
        with cluster as server:
            yield server
    except servers.Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[servers.Server]:
    """PostgreSQL 18 from the wheel of the extra `embedded`."""
    yield from _start(servers.embedded())


@pytest.fixture(scope="session")
def debian_server() -> Iterator[servers.Server]:
    """The newest PostgreSQL that Debian or Ubuntu installed; skips where there is none."""
    yield from _start(servers.debian())


@pytest.fixture(scope="session")
def everything(embedded_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """A run of a source with everything there is to report, and its folder."""
    with servers.fresh_database(embedded_server) as url:
        return run_everything(tmp_path_factory.mktemp("everything"), url)


@pytest.fixture(scope="session")
def tab() -> Iterator[browser.Tab]:
    """A page in a real Chromium; skips where there is none."""
    try:
        with browser.chromium() as opened:
            yield opened
    except browser.Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def server(request: pytest.FixtureRequest) -> servers.Server:
    """The embedded server, or the one that `parametrize("server", ["embedded", "debian"], indirect=True)` names."""
    return request.getfixturevalue(f"{getattr(request, 'param', 'embedded')}_server")


@pytest.fixture
def database(embedded_server: servers.Server) -> Iterator[str]:
    """The URL of a fresh, empty database on the embedded PostgreSQL."""
    with servers.fresh_database(embedded_server) as url:
        yield url


@pytest.fixture
def debian_database(debian_server: servers.Server) -> Iterator[str]:
    """The URL of a fresh, empty database on Debian's PostgreSQL."""
    with servers.fresh_database(debian_server) as url:
        yield url


@pytest.fixture(params=["embedded", "debian"])
def each_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh, empty database, once on each server."""
    with servers.fresh_database(request.getfixturevalue(f"{request.param}_server")) as url:
        yield url


@pytest.fixture
def figure() -> Callable[[str, str], None]:
    """Print what a test has measured, and append it to the file that FIGURES names: see scripts/bench faults."""

    def tell(what: str, measured: str) -> None:
        print(f"{what}: {measured}")
        if "FIGURES" in os.environ:
            with Path(os.environ["FIGURES"]).open("a", encoding="utf-8") as file:
                file.write(f"{what}\t{measured}\n")

    return tell
