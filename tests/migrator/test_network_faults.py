"""Networks that are slow, cut, or silent: a run ends with an error within its timeout, and the next one goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from . import servers
from .faults import TOTAL, assert_ended, assert_exact, assert_untouched, command, kept, make_large, striking
from .killing import run_struck
from .proxy import Proxy, proxied
from .terminal import migrator_forked

Figure = Callable[[str, str], None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_large(tmp_path_factory.mktemp("network"))


@pytest.fixture
def proxy(embedded_server: servers.Server) -> Iterator[Proxy]:
    with proxied(embedded_server) as between:
        yield between


def through(proxy: Proxy, database: str, **parameters: object) -> str:
    """That database as it is reached through the proxy."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    return proxy.url(str(name)) + "".join(
        f"&{key}={value}" for key, value in {"connect_timeout": 2, **parameters}.items()
    )


@pytest.mark.parametrize(
    ("phase", "statement"),
    [
        ("COPY", "COPY"),
        ("an index", "CREATE INDEX"),
        ("the foreign keys", "ALTER TABLE .* VALIDATE"),
        ("proof", 'SELECT "id".*readings'),
    ],
)
def test_silence(phase: str, statement: str, source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    """The network goes on taking bytes and delivers none: only the watchdog can see that."""
    url = through(proxy, database)
    with striking(database, statement, proxy.silence, rows=1) as strike:
        ended = migrator_forked(*command(source, url, "--stall-timeout", "3", "--workers", "1"))
    seconds = strike.seconds_ago
    assert_ended(ended, 6, "Nothing has moved for 3 s", "The same command goes on")
    rows = kept(database)
    figure(f"the network goes silent in {phase}", f"{seconds:.1f} s until the error, {rows:,} of {TOTAL:,} rows kept")
    proxy.heal()
    assert_exact(source, url, migrator_forked(*command(source, url)))


def test_silence_before_anything(source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    proxy.silence()
    began = time.monotonic()
    ended = migrator_forked(*command(source, through(proxy, database)))
    figure("the network is silent from the start", f"{time.monotonic() - began:.1f} s until the error")
    assert_ended(ended, 5, "refused the connection", "timeout expired")
    assert_untouched(database)
    proxy.heal()


def test_silence_in_the_first_question(source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    """Connected, and then nothing any more: before there is anything to go on with."""
    proxy.silent_after = 250  # a connection's greeting has less
    ended = migrator_forked(*command(source, through(proxy, database), "--stall-timeout", "2"))
    figure(
        "the network goes silent after the connection", f"{time.monotonic() - proxy.struck_at_s:.1f} s until the error"
    )
    assert_ended(ended, 5)
    assert_untouched(database)
    proxy.heal()


def test_silence_in_the_rename(source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    """The server does not know that the first attempt is over, and keeps its locks: the second ends that session."""
    url = through(proxy, database)
    ended = run_struck("renamed, not committed", proxy.silence, *command(source, url, "--stall-timeout", "2"))
    seconds = time.monotonic() - proxy.struck_at_s
    figure("the network goes silent in the rename", f"{seconds:.1f} s until the error, all rows kept")
    assert_ended(ended, 6, "Nothing has moved for 2 s")
    again = migrator_forked(*command(source, database, "--stall-timeout", "20"))  # not through the proxy
    assert_exact(source, database, again)


def test_plug_is_pulled(source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    """Nobody acknowledges a byte any more: TCP itself gives up, after what TARGET says in place of our minute."""

    def pull() -> None:
        proxy.deaf = True

    url = through(proxy, database, tcp_user_timeout=2000)
    with striking(database, "COPY", pull) as strike:
        ended = migrator_forked(*command(source, url))
    figure(
        "the other side acknowledges nothing any more",
        f"{strike.seconds_ago:.1f} s until the error (tcp_user_timeout 2 s)",
    )
    assert_ended(ended, 5, "The same command goes on")
    proxy.heal()
    assert_exact(source, url, migrator_forked(*command(source, url)))


@pytest.mark.parametrize("megabytes", [0.001, 5])
def test_connection_reset(megabytes: float, source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    proxy.reset_after = int(megabytes * 1_000_000)
    ended = migrator_forked(*command(source, through(proxy, database), "--workers", "1"))
    seconds, rows = time.monotonic() - proxy.struck_at_s, 0 if megabytes < 1 else kept(database)
    proxy.heal()
    figure(f"all connections are reset after {megabytes:g} MB", f"{seconds:.1f} s until the error, {rows:,} rows kept")
    assert_ended(ended, 5)
    url = through(proxy, database)
    assert_exact(source, url, migrator_forked(*command(source, url)))


def test_slow_network_is_not_a_stall(source: Path, database: str, proxy: Proxy, figure: Figure) -> None:
    """Every piece is late, and the pauses are shorter than the timeout."""
    proxy.delay_s = 0.002
    began = time.monotonic()
    url = through(proxy, database)
    assert_exact(source, url, migrator_forked(*command(source, url, "--stall-timeout", "2")))
    figure("every 64 kB are 2 ms late", f"no error, {TOTAL:,} rows in {time.monotonic() - began:.1f} s with two proofs")
