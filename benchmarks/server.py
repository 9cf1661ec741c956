"""The PostgreSQL that is measured against: durable, with default settings, thrown away afterwards.

Debian's or Ubuntu's server where it is installed, on 127.0.0.1 as users have it; otherwise the embedded one, on its
socket. As root the server runs as `postgres` or `nobody`, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql

from migrator.embedded import embedded_server

_USER = "postgres"
_ACCOUNTS_INSTEAD_OF_ROOT = ("postgres", "nobody")


class ServerFailed(Exception):
    """PostgreSQL does not start; the text is what it said."""


@dataclass(frozen=True)
class Server:
    """A running server. Programs that it is measured with find the password in PGPASSWORD."""

    name: str
    version: str
    base: str  # a URL with {} where the name of the database stands

    def url(self, database: str) -> str:
        return self.base.format(database)

    def pgloader_url(self, database: str) -> str:
        """The same in pgloader's spelling, which has its own for sockets."""
        folder = parse_qs(urlsplit(self.base).query).get("host")
        return f"postgresql://{_USER}@unix:{folder[0]}:5432/{database}" if folder else self.url(database)

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres"), autocommit=True)

    @property
    def postmaster(self) -> int:
        """The pid of the process that all others of the server descend from."""
        with self.admin() as admin:
            return field(Path("/proc", str(admin.info.backend_pid)), "PPid")

    def cpu_s(self, postmaster: int) -> float:
        """Processor time of all its processes so far, of those that have ended too; 0 where there is no /proc."""
        folder = Path("/proc", str(postmaster))
        return _used_s(folder, 4) + sum(_used_s(Path("/proc", pid), 2) for pid in children(postmaster))

    @contextmanager
    def fresh_database(self, name: str) -> Iterator[None]:
        """A new, empty database; dropped afterwards. What earlier ones have left to write is written first."""
        with self.admin() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            admin.execute("CHECKPOINT")
            try:
                yield
            finally:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running_server(scratch: Path) -> Iterator[Server]:
    """A server for the time of the block; `scratch` has to be a folder that other accounts can pass through."""
    programs = debian_programs()
    if programs is None:
        with embedded_server(scratch / "postgresql") as url:
            yield _described("embedded", url.replace("/postgres?", "/{}?"))
        return
    with _debian_cluster(programs, scratch) as base:
        yield _described("Debian's" if Path("/etc/debian_version").exists() else "the system's", base)


def field(folder: Path, name: str) -> int:
    """A number from a process's status; 0 for a process that has ended."""
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def children(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if path.exists() else []


def _used_s(folder: Path, fields: int) -> float:
    """Of utime, stime, and the same of children that were waited for: man 5 proc_pid_stat, fields 14 to 17."""
    try:
        values = (folder / "stat").read_text().rpartition(")")[2].split()[11 : 11 + fields]
    except OSError:
        return 0.0
    return sum(map(int, values)) / os.sysconf("SC_CLK_TCK")


def debian_programs() -> Path | None:
    """The folder of the newest server below /usr/lib/postgresql."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def _described(name: str, base: str) -> Server:
    with psycopg.connect(base.format("postgres")) as connection:
        [version] = connection.execute("SHOW server_version").fetchone() or ("?",)
    return Server(name, version, base)


@contextmanager
def _debian_cluster(programs: Path, scratch: Path) -> Iterator[str]:
    """Every account of this machine can reach 127.0.0.1, so the superuser has a password."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=scratch))
    os.environ["PGPASSWORD"] = secrets.token_urlsafe(24)
    (folder / "password").write_text(os.environ["PGPASSWORD"])
    account = _account()
    if account:
        for path in (folder, folder / "password"):
            os.chown(path, account.pw_uid, account.pw_gid)
    port = _free_port()
    try:
        options = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8"]
        _run(account, folder, programs / "initdb", "-D", folder / "data", f"--username={_USER}", *options)
        settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''"
        _run(account, folder, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log",
             "-o", settings, "start")  # fmt: skip
        yield f"postgresql://{_USER}@127.0.0.1:{port}/{{}}"
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            _run(account, folder, programs / "pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ["PGPASSWORD"]


def _account() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS_INSTEAD_OF_ROOT if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(account: pwd.struct_passwd | None, folder: Path, *command: str | Path) -> None:
    """The output goes through a file, because a server that is started keeps a pipe open."""
    rights: dict[str, Any] = {"umask": 0o077}
    if account:
        rights |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, **rights,
        )  # fmt: skip
        if done.returncode:
            output.seek(0)
            log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
            raise ServerFailed(f"{command[0]} ended with {done.returncode}:\n{output.read()}{log}")
