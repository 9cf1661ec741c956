"""Arguments and options that several verbs share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from migrator.core.errors import UsageError
from migrator.core.plan import Style

RUNS = Path("migrator-runs")
ANOTHER = "Name another file with -o."


def decided_by(plan_file: Path | None) -> None:
    """Raise UsageError where an option contradicts the plan file, which has its own answer to it."""
    context = click.get_current_context()
    for name, option in (("style", "style"), ("zone", "zone"), ("target_schema", "schema"), ("profile", "profile")):
        if plan_file and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{option} and --plan contradict each other.", "", f"Set {option} in {plan_file} instead."
            )


def worker_count() -> int:
    """One per core, at most four: more connections make PostgreSQL wait for itself."""
    return max(1, min(4, os.cpu_count() or 1))


# readable=False: what is wrong with the file is the source's to say, with its own exit code.
SOURCE = click.argument("source", type=click.Path(path_type=Path, readable=False))
JSON = click.option("--json", is_flag=True, help="Print one JSON object on stdout; its shape has a version.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 16),
    default=worker_count,
    help="Worker processes. Default: one per core, at most 4.",
)
PASSWORD = click.option(
    "--password-file", type=click.Path(path_type=Path), help="A file whose first line is the password."
)
STALL = click.option(
    "--stall-timeout",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="End the attempt where so long no byte moves and the server is not at work for it.",
)
PLANNING = (
    click.option(
        "--style",
        type=click.Choice([style.value for style in Style]),
        default="faithful",
        show_default=True,
        help="faithful keeps the application's SQL working; idiomatic takes PostgreSQL's own types.",
    ),
    click.option("--zone", default="UTC", show_default=True, help="Time zone of texts without an offset (idiomatic)."),
    click.option("--schema", "target_schema", default="public", show_default=True, help="Schema in PostgreSQL."),
    click.option(
        "--profile",
        default="auto",
        show_default=True,
        help="What is special about a known database: auto, none, home-assistant-recorder.",
    ),
)


def planning_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(PLANNING):
        function = option(function)
    return function
