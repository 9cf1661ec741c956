"""How a verb meets the shell: its help, its two streams, signals, and what every error becomes on the way out."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from migrator.core.errors import ExitCode, Failure, MigratorError, NotBegun
from migrator.core.redact import redact

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.core.progress import Progress


@dataclass(frozen=True)
class Output:
    """Results go to stdout, everything else to stderr, so that stdout can be piped."""

    json: bool
    out: Console
    err: Console

    def progress(self) -> Progress:
        from migrator.display import PlainProgress, TerminalProgress

        return TerminalProgress(self.err) if self.err.is_terminal else PlainProgress(self.err)


def _output(json: bool) -> Output:
    from rich.console import Console

    # Off a terminal nobody knows how wide a line may be, and a path that is broken in two is none any more.
    return Output(
        json,
        Console(emoji=False, highlight=False, soft_wrap=not sys.stdout.isatty()),
        Console(stderr=True, emoji=False, highlight=False, soft_wrap=not sys.stderr.isatty()),
    )


class Verb(click.Command):
    """A command whose help wraps its paragraphs and keeps its examples line by line."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            verbatim = paragraph.startswith("Examples:")
            text = paragraph if verbatim else textwrap.fill(" ".join(paragraph.split()), formatter.width - 2)
            formatter.write("\n" + textwrap.indent(text, "  ") + "\n")


class Group(click.Group):
    command_class = Verb

    def invoke(self, ctx: click.Context) -> Any:
        """Before a verb has begun, click would call Ctrl-C a failure."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("error: Interrupted.", err=True)
            ctx.exit(int(ExitCode.INTERRUPTED))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def handled(function: Callable[..., int]) -> Callable[..., None]:
    """Turn errors into what, why, next and an exit code. Bad input never gets a traceback."""

    def wrapper(*arguments: Any, json: bool, **options: Any) -> None:
        output = _output(json)
        try:
            with _interruptible():
                code = function(*arguments, output=output, **options)
        except MigratorError as error:
            code = _told(error, output)
        except KeyboardInterrupt:
            code = _told(NotBegun("Interrupted.", "Nothing had been done that would have to be undone."), output)
        except BrokenPipeError:
            code = int(ExitCode.FAILURE)
            sys.stderr.close()
        except Exception as error:
            if "MIGRATOR_TRACEBACK" in os.environ:
                raise
            code = _told(_unexpected(error), output)
        sys.exit(code)

    return update_wrapper(wrapper, function)


def _told(error: MigratorError, output: Output) -> int:
    """Say it on both streams as they want it; returns the exit code."""
    from migrator import report

    report.show_error(output.err, error)
    if output.json:
        click.echo(report.error_json(error))
    return int(error.exit_code)


def _unexpected(error: Exception) -> Failure:
    """A full disk or a missing permission is named; anything else is a defect of ours."""
    if isinstance(error, OSError):
        return Failure(f"{error.filename or 'The system'}: {error.strerror}.")
    return Failure(
        f"Unexpected {type(error).__name__}: {redact(str(error))}.",
        "This is a defect of the migrator; the target was left as it was.",
        "Please report it with the output of the same command under MIGRATOR_TRACEBACK=1: "
        "https://github.com/ha-metastore/ha-metastore/issues",
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does, so that staging is removed."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
