"""The series: everything that is measured is made, then all contenders in turn, round after round.

Noise comes in spells, and in turn it hits all alike. Every round begins with another contender, so that none always
follows the same one.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.contenders import DATABASE, Contender, Sample, Stage, clear, python, rows_of
from benchmarks.copying import create_bare_table
from benchmarks.limit import save_binary
from benchmarks.server import Server, running_server

Samples = dict[str, list[Sample]]


@dataclass(frozen=True)
class Settings:
    """`keep`: the folder in which the recorder's database stays for the next time."""

    states: int
    repeat: int
    keep: Path | None
    say: Callable[[str], None]


@contextmanager
def stage(settings: Settings) -> Iterator[Stage]:
    """The data and the server; both are gone afterwards."""
    with scratch_folder() as scratch:
        settings.say(f"Working in {scratch}")
        source = recorder(settings, scratch)
        work = scratch / "work"
        work.mkdir()
        plan, binary = scratch / "plan.toml", scratch / "states.bin"
        settings.say("Making the plan, states.bin and recorder-export")
        python(work, "migrator", "plan", source, "-o", plan)
        rows = rows_of(json.loads(python(work, "migrator", "inspect", source, "--json").stdout))
        with running_server(scratch) as server:
            _save_states(server, source, plan, binary)
            export = scratch / "recorder-export"
            python(work, "migrator", "export", source, export, "--plan", plan, "--compress", "none")
            yield Stage(source, plan, binary, export, server, work, rows)


def recorder(settings: Settings, scratch: Path) -> Path:
    """The recorder's database: the kept one, or a new one."""
    folder = settings.keep or scratch
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"recorder-{settings.states}.db"
    if not path.exists():
        settings.say(f"Making {path.name} with {settings.states:,} states")
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
        try:
            python(folder, "benchmarks.make_recorder", unfinished / path.name, settings.states)
            (unfinished / path.name).rename(path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return path


def run_rounds(stage: Stage, contenders: Sequence[Contender], settings: Settings) -> Samples:
    """All samples of each contender, in the order of the rounds."""
    samples: Samples = {contender.key: [] for contender in contenders}
    for number in range(settings.repeat):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            with stage.server.fresh_database(DATABASE):
                sample = _measured(contender, stage)
            clear(stage)
            samples[contender.key].append(sample)
            settings.say(f"Round {number + 1} of {settings.repeat}: {sample.seconds:8.2f} s  {contender.label}")
    return samples


def _measured(contender: Contender, stage: Stage) -> Sample:
    """With the processor time that the server needed for it."""
    postmaster = stage.server.postmaster
    before = stage.server.cpu_s(postmaster)
    sample = contender.measure(stage)
    return replace(sample, server_cpu_s=stage.server.cpu_s(postmaster) - before)


def _save_states(server: Server, source: Path, plan: Path, binary: Path) -> None:
    """Migrator's own rows, so that the ready file and the copy give PostgreSQL the same to do."""
    with server.fresh_database(DATABASE):
        url = server.url(DATABASE)
        create_bare_table(source, plan, url)
        python(binary.parent, "benchmarks.copying", source, plan, url, 1)
        save_binary(url, binary)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="metastore-bench-"))
    # As root the server runs as another user, who has to get through to its own folder.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
