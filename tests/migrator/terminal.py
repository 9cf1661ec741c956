"""The command line as a user meets it: in this process, or as one of its own that can be watched and interrupted."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import pwd
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from click.testing import CliRunner

import migrator as package
from migrator.cli import cli

NOBODY = "nobody"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def migrator(*arguments: str | Path, env: Mapping[str, str | None] | None = None) -> Answer:
    """Run a command in this process. A traceback fails the test."""
    result = CliRunner().invoke(cli, [str(part) for part in arguments], env=dict(env or {}), prog_name="migrator")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return Answer(result.exit_code, result.stdout, result.stderr)


def start(*arguments: str | Path, env: Mapping[str, str] | None = None, **options: object) -> subprocess.Popen[str]:
    """A real process; its output is piped as text."""
    command = [sys.executable, "-m", "migrator", *map(str, arguments)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, **(env or {})}, **{**pipes, **options})  # type: ignore[call-overload, no-any-return]


def finish(process: subprocess.Popen[str], timeout_s: float = 300) -> Answer:
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    assert "Traceback" not in out + err, err
    return Answer(process.returncode, out, err)


def migrator_forked(*arguments: str | Path, prepare: Callable[[], object] = lambda: None) -> Answer:
    """Run a command in a fork of this process, which can be prepared for it and ends with all that it holds."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            os.close(reader)
            prepare()
            os.write(writer, json.dumps(astuple(migrator(*arguments))).encode())
        except BaseException:  # noqa: BLE001  # the test's process must not go on twice
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    assert text, "the command ended without an answer"
    return Answer(*json.loads(text))


def migrator_as_nobody(*arguments: str | Path) -> Answer:
    """Run a command without root's rights, so that permissions mean something."""
    if os.getuid() != 0:
        return migrator(*arguments)
    account = pwd.getpwnam(NOBODY)
    # Nobody may not be able to read the modules either, so they are all there before.
    for module in pkgutil.walk_packages(package.__path__, "migrator."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def give_up_rights() -> None:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)

    return migrator_forked(*arguments, prepare=give_up_rights)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter; pytest's own are closed."""
    with TemporaryDirectory(prefix="migrator-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def left_behind(url: str) -> list[tuple[str, ...]]:
    """Every schema beside public, and everything in public."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT nspname, NULL FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)'"
            " UNION ALL SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
