"""What the verbs that fill a target have in common."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.core.errors import DecisionNeeded, ExitCode, UsageError
from migrator.core.findings import count_of
from migrator.shell import Output

if TYPE_CHECKING:
    from migrator.target.connection import Target


def placing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_PLACING):
        function = option(function)
    return function


_PLACING = (
    click.option("--into-existing", is_flag=True, help="Other tables may be in the schema, none with the same names."),
    click.option("--replace", is_flag=True, help="Tables of the same names are dropped in the final transaction."),
    click.option(
        "--dry-run", is_flag=True, help="Check source, plan and target, print what would be done, change nothing."
    ),
    click.option("--yes", is_flag=True, help="Do not ask before --replace drops tables."),
)


def check_placing(into_existing: bool, replace: bool) -> None:
    if into_existing and replace:
        raise UsageError("--into-existing and --replace contradict each other.", next_step="Choose one of them.")


def ask_before_dropping(names: list[str]) -> None:
    question = (
        f"Drop {len(names)} tables and views of the target ({', '.join(names[:8])}) when the new ones are proven?"
    )
    if not sys.stdin.isatty():
        raise DecisionNeeded(f"--replace would drop {len(names)} tables and views.", ", ".join(names), "Add --yes.")
    if not click.confirm(question, err=True):
        raise DecisionNeeded("Nothing was done.", "The question was answered with no.")


def say_left_behind(output: Output) -> Callable[[str], None]:
    from migrator.steps.resume import how_to_discard

    return lambda run_id: output.err.print(
        f"The target does not answer. To remove what stands there: {how_to_discard(run_id)}", markup=False
    )


def show_placed(outcome: dict[str, Any], output: Output) -> int:
    """Of a run that had ended when its process was killed."""
    from migrator import report

    if output.json:
        click.echo(report.to_json("run", outcome))
    else:
        output.out.print(f"done: {count_of(outcome['rows'], 'row')} had arrived in schema {outcome['schema']} before")
    return ExitCode.MISMATCH if outcome["rejects"] else ExitCode.OK


@contextlib.contextmanager
def target_of(text: str | None, password_file: Path | None, source: Path, output: Output) -> Iterator[Target]:
    """The database that TARGET names, or an embedded one beside the source."""
    from migrator.embedded import embedded_server
    from migrator.target.connection import resolve_target

    if text is not None:
        yield resolve_target(text, password_file)
        return
    folder = source.with_name(source.name + ".postgresql")
    output.err.print(f"no TARGET: using the embedded PostgreSQL in {folder}")
    with embedded_server(folder) as url:
        yield resolve_target(url)
    output.err.print(f"look at it with: python -m migrator.embedded {folder}")
