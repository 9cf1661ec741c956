"""What the verbs that fill a target have in common."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.core.errors import DecisionNeeded, ExitCode, Occupied, UsageError
from migrator.core.findings import count_of
from migrator.options import RUNS
from migrator.shell import Output

if TYPE_CHECKING:
    from migrator.steps.carrying import RunResult
    from migrator.steps.finished import Stamp
    from migrator.steps.resume import Attempt
    from migrator.target.connection import Target


def placing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_PLACING):
        function = option(function)
    return function


RUN_DIR = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where the run folder is made: plan, rejects, outcome.",
)
_PLACING = (
    click.option("--into-existing", is_flag=True, help="Other tables may be in the schema, none with the same names."),
    click.option("--replace", is_flag=True, help="Tables of the same names are dropped in the final transaction."),
    click.option(
        "--dry-run", is_flag=True, help="Check source, plan and target, print what would be done, change nothing."
    ),
    click.option("--yes", is_flag=True, help="Do not ask before --replace drops tables."),
)


@dataclass(frozen=True)
class Placing:
    """What the command line says of the target, and of how it is to be filled."""

    target: str | None
    password_file: Path | None
    into_existing: bool
    replace: bool
    dry_run: bool
    yes: bool
    run_dir: Path
    stall_timeout: float
    workers: int

    def __post_init__(self) -> None:
        if self.into_existing and self.replace:
            raise UsageError("--into-existing and --replace contradict each other.", next_step="Choose one of them.")

    def carry(
        self, place: Path, source: Path, stamp: Stamp, output: Output, step: Callable[[dict[str, Any]], RunResult]
    ) -> int:
        """Have `step` carried out with what every request needs, and say what came of it. Returns the exit code.

        `place` is where the rows are read, by which an unfinished run is known again; `source` is what they are of;
        `stamp` is by which a finished one is known.
        """
        from migrator import report
        from migrator.steps.earlier import give_way
        from migrator.steps.finished import finished_before
        from migrator.steps.resume import finish_placed, first_attempt, next_attempt
        from migrator.steps.watchdog import Watchdog

        with (
            _target_of(self.target, self.password_file, place, output) as resolved,
            Watchdog(resolved, self.stall_timeout) as watchdog,
        ):
            attempt = (first_attempt if self.dry_run else next_attempt)(resolved, place, self.run_dir)
            watchdog.follow(attempt.target)
            if attempt.record:
                output.err.print(f"going on with the run {attempt.run_id}", markup=False)
                if attempt.record.placed_at:
                    return _show_placed(finish_placed(attempt), output)
            common = {
                "attempt": attempt,
                "outcome": lambda result: (
                    report.outcome_body(result, source, resolved.shown) | {"stamp": stamp, "standing": result.standing}
                ),
                "into_existing": self.into_existing,
                "replace": self.replace,
                "dry_run": self.dry_run,
                "confirm": None if self.yes else watchdog.pausing(_ask_before_dropping),
                "watchdog": watchdog,
                "workers": self.workers,
                "left_behind": _say_left_behind(output),
            }
            with _keeping(attempt):
                try:
                    result = step(common)
                except Occupied as occupied:
                    if before := finished_before(self.run_dir, resolved.shown, stamp):
                        return _show_placed(before, output)
                    if self.replace:
                        raise
                    earlier = give_way(occupied, source, attempt.target, self.run_dir)
                    output.err.print(f"the tables of {earlier.run.name}, which left rows out, give way", markup=False)
                    if not attempt.record:  # its folder was empty, and is gone
                        attempt = first_attempt(resolved, place, self.run_dir)
                        watchdog.follow(attempt.target)
                    result = step(common | {"attempt": attempt, "giving_way": earlier})
        if output.json:
            click.echo(report.result_json(result))
        else:
            report.show_result(output.out, result)
        return ExitCode.MISMATCH if result.rejects else ExitCode.OK


@contextlib.contextmanager
def _keeping(attempt: Attempt) -> Iterator[None]:
    """A Ctrl-C in the preparation keeps what an earlier attempt has brought, and says so."""
    from migrator.steps.resume import resumable

    try:
        yield
    except KeyboardInterrupt as error:
        raise (resumable(error, attempt.run_id) if attempt.record else error) from None


def _ask_before_dropping(names: list[str]) -> None:
    question = (
        f"Drop {len(names)} tables and views of the target ({', '.join(names[:8])}) when the new ones are proven?"
    )
    if not sys.stdin.isatty():
        raise DecisionNeeded(f"--replace would drop {len(names)} tables and views.", ", ".join(names), "Add --yes.")
    if not click.confirm(question, err=True):
        raise DecisionNeeded("Nothing was done.", "The question was answered with no.")


def _say_left_behind(output: Output) -> Callable[[str], None]:
    from migrator.steps.resume import how_to_discard

    return lambda run_id: output.err.print(
        f"The target does not answer. To remove what stands there: {how_to_discard(run_id)}", markup=False
    )


def _show_placed(outcome: dict[str, Any], output: Output) -> int:
    """Of a run that had ended before."""
    from migrator import report

    if output.json:
        click.echo(report.to_json("run", outcome))
    else:
        output.out.print(f"done: {count_of(outcome['rows'], 'row')} had arrived in schema {outcome['schema']} before")
    return ExitCode.MISMATCH if outcome["rejects"] else ExitCode.OK


@contextlib.contextmanager
def _target_of(text: str | None, password_file: Path | None, source: Path, output: Output) -> Iterator[Target]:
    """The database that TARGET names, or an embedded one beside the source."""
    from migrator.embedded import embedded_server
    from migrator.target.connection import resolve_target

    if text is not None:
        yield resolve_target(text, password_file)
        return
    folder = source.with_name(source.name + ".postgresql")
    output.err.print(f"no TARGET: using the embedded PostgreSQL in {folder}")
    with embedded_server(folder) as url:
        # The socket lies in another place each time, and an earlier run is known again by its target.
        yield dataclasses.replace(resolve_target(url), shown=f"the embedded PostgreSQL in {folder.resolve()}")
    output.err.print(f"look at it with: python -m migrator.embedded {folder}")
