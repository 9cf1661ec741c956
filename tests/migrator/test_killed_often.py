"""kill -9 at random moments, and the same command again until it ends well: the target is exact, however often.

`scripts/bench killed-run` has many rounds; here are a few, so that what it measures is known to work.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from . import servers
from .faults import assert_exact
from .killing import EXPORT_STEPS, STEPS, arm
from .moving import make_source
from .terminal import Answer, migrator, migrator_forked

ROUNDS = int(os.environ.get("MIGRATOR_KILLED_ROUNDS", "4"))
HANDS = 2  # which xdist can give to two workers
MOST_KILLS = 3  # in one round
LONGEST_S = 2.5  # about what an attempt takes
SOURCE = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO rooms VALUES (1, 'kitchen'), (2, 'hall');
CREATE TABLE lamps (id INTEGER PRIMARY KEY, room INTEGER REFERENCES rooms, name TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO lamps SELECT i, i % 2 + 1, 'lamp ' || i FROM n;
CREATE INDEX lamps_by_name ON lamps (name);
CREATE TABLE readings (at TEXT, value REAL, lamp INTEGER REFERENCES lamps);
INSERT INTO readings SELECT 'at ' || id, id * 0.1, id FROM lamps;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO settings VALUES ('a', '1'), ('b', NULL);
CREATE VIEW bright AS SELECT name FROM lamps WHERE id > 4990;
"""


Command = tuple[str | Path, ...]


def run_commands(source: Path, database: str) -> list[Command]:
    runs = source.parent / "runs"
    return [("run", source, database, "--run-dir", runs, "--workers", "1")]


def exchange_commands(source: Path, database: str) -> list[Command]:
    export, runs = source.parent / "export", source.parent / "runs"
    load = ("load", export, database, "--run-dir", runs, "--workers", "1")
    return [("export", source, export, "--workers", "1"), load]


def attempt(rng: random.Random, command: Command) -> int | None:
    """The exit code, or None where the attempt was killed before it came to one: at a named step, or after a while."""
    step = rng.choice([None, *(EXPORT_STEPS if command[0] == "export" else STEPS)])
    if not (child := os.fork()):
        code = 99
        try:
            if step:
                arm(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
            code = migrator(*command).code
        finally:
            os._exit(code)
    timer = threading.Timer(60 if step else rng.uniform(0, LONGEST_S), os.kill, (child, signal.SIGKILL))
    timer.start()
    _, status = os.waitpid(child, 0)
    timer.cancel()
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def has_begun(database: str, export: Path) -> bool:
    """Whether an attempt has left something from which the next one can go on."""
    with psycopg.connect(database) as connection:
        journals = "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'migrator\\_journal%'"
        return connection.execute(journals).fetchone() is not None or (export / "progress.jsonl").exists()


@pytest.mark.parametrize("hand", range(HANDS))
@pytest.mark.parametrize(
    ("way", "commands"), [("run", run_commands), ("export and load", exchange_commands)], ids=["run", "exchange"]
)
def test_killed_at_random_moments(
    hand: int,
    way: str,
    commands: Callable[[Path, str], list[Command]],
    tmp_path: Path,
    embedded_server: servers.Server,
    figure: Callable[[str, str], None],
) -> None:
    rng = random.Random(hand)
    counted: Counter[str] = Counter()
    for number in range(-(-ROUNDS // HANDS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        source = make_source(folder / "home.db", SOURCE)
        with servers.fresh_database(embedded_server) as database:
            kills = 0
            for command in commands(source, database):
                most, code = kills + MOST_KILLS, None
                while code is None:  # a command that is given again when all is done says so
                    counted["attempts that went on"] += has_begun(database, folder / "export")
                    code = attempt(rng, command) if kills < most else migrator_forked(*command).code
                    kills += code is None
                assert code == 0
            assert_exact(source, database, Answer(0, "", ""))
        counted["rounds"] += 1
        counted["kills"] += kills
    told = ", ".join(f"{counted[what]} {what}" for what in ("rounds", "kills", "attempts that went on"))
    figure(
        f"{way}: kill -9 at random moments ({hand + 1} of {HANDS})",
        f"{told}; exact: {counted['rounds']} of {counted['rounds']}",
    )
