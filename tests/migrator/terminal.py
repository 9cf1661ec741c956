"""The command line as a user meets it: in this process, or as a real one with a pid, signals and another user's rights."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from click.testing import CliRunner

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


def migrator_as_nobody(*arguments: str | Path, cwd: Path) -> Answer:
    """A real process without root's rights, for which permissions mean something. Skips where there is none."""
    options: dict[str, object] = {"cwd": cwd}
    if os.getuid() == 0:
        account = pwd.getpwnam(NOBODY)
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    env = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        if finish(start("--version", env=env, **options)).code:
            pytest.skip(f"the user {NOBODY} cannot run {sys.executable}")
    except PermissionError:
        pytest.skip(f"the user {NOBODY} cannot run {sys.executable}")
    return finish(start(*arguments, env=env, **options))


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
