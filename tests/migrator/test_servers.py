"""The servers that the other tests stand on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from . import servers


def test_a_database_is_fresh_and_empty(each_database: str) -> None:
    with psycopg.connect(each_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        connection.execute("CREATE TABLE states (state_id bigint)")
    assert tables == (0,)


def test_the_servers_differ_in_collation(embedded_server: servers.Server, debian_server: servers.Server) -> None:
    ordered = {}
    for server in (embedded_server, debian_server):
        with servers.fresh_database(server) as url, psycopg.connect(url) as connection:
            ordered[server.name] = connection.execute("SELECT 'B' < 'a'").fetchone()
    assert ordered == {"embedded": (True,), "debian": (False,)}


HELD_OPEN = """
import sys
from tests.migrator import servers
with servers.embedded() as server:
    print(server.folder, flush=True)
    sys.stdin.read()
"""


def runs(pid: int) -> bool:
    """Whether the process is there and more than a zombie that its new parent has not yet buried."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_a_cluster_whose_owner_was_killed_is_reaped(embedded_server: servers.Server) -> None:
    checkout = Path(__file__).parents[2]
    command = [sys.executable, "-c", HELD_OPEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=checkout, text=True) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        owner.kill()
    assert runs(pid)
    with servers.embedded():
        assert not folder.exists()
        assert not runs(pid)
    assert embedded_server.folder.exists()
