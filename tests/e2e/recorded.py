"""A home that records, what it answers about its past, and the two databases that it records to.

Nothing is imported from Home Assistant or the migrator: one is asked over its API, the other is called as a program,
and both databases are read as a person with sqlite3 or psql would read them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from home_assistant import HomeAssistant, wait_for
from psycopg import sql

FILE = "home-assistant_v2.db"  # where Home Assistant records unless db_url says otherwise
ABSENCE = timedelta(hours=2)  # whole hours, because statistics begin on the hour

# A state is committed at once, so that an answer is never behind. The meter's value survives a restart.
RECORDING = """
history:
logbook:
demo:
input_number:
  meter: {name: Meter reading, min: 0, max: 100000, step: 0.1, mode: box}
template:
  - sensor:
      - name: Meter
        unique_id: meter
        state: "{{ states('input_number.meter') }}"
        unit_of_measurement: kWh
        device_class: energy
        state_class: total_increasing
recorder:
  commit_interval: 0
"""
# It gives itself new statistics of yesterday at each start, so that it is there at the first only.
AT_FIRST = "kitchen_sink:\n"
ON_POSTGRESQL = "  db_url: !secret recorder_db_url\n"

type Answers = dict[str, Any]
type Row = tuple[Any, ...]

# Every column that holds a time, by table: in seconds, and as a date.
_MOMENTS = {
    "states": ("last_updated_ts", "last_changed_ts", "last_reported_ts"),
    "events": ("time_fired_ts",),
    "statistics": ("start_ts", "created_ts", "last_reset_ts"),
    "statistics_short_term": ("start_ts", "created_ts", "last_reset_ts"),
}
_DATES = {"statistics_runs": ("start",), "recorder_runs": ("start", '"end"', "created")}


# -- the home ----------------------------------------------------------------------------------------------------------


@contextmanager
def recording_to(home: HomeAssistant, url: str | None = None) -> Iterator[None]:
    """The home is up and records to that PostgreSQL database, or to its SQLite file; afterwards it is stopped.

    From its start to its end it has nothing to say against a database in PostgreSQL.
    """
    said = len(home.log())
    home.configure(RECORDING + (ON_POSTGRESQL if url else ""))
    if url:
        (home.folder / "secrets.yaml").write_text(f"recorder_db_url: {url}\n")
    home.start()
    try:
        wait_until_recorded(home)  # the recorder is up a little later, and says until then that there is nothing
        yield
    finally:
        home.stop()
    if url:
        assert complaints(home.log()[said:]) == []


def show(home: HomeAssistant, entity_id: str, state: str, **attributes: Any) -> None:
    """Give an entity this state, as an integration would."""
    home.rest("POST", f"/api/states/{entity_id}", {"state": state, "attributes": attributes})


def read_meter(home: HomeAssistant, value: float) -> None:
    home.act("input_number.set_value", entity_id="input_number.meter", value=value)
    wait_for("meter reading", lambda: home.rest("GET", "/api/states/sensor.meter")["state"] == str(float(value)))


def wait_until_recorded(home: HomeAssistant) -> None:
    """Whatever happened before can now be asked for: the recorder takes one thing after the other."""
    mark = f"{time.time_ns()}"
    show(home, "sensor.mark", mark)

    def last_mark() -> bool:
        asked = {"start_time": _iso(_now() - timedelta(hours=1)), "entity_ids": ["sensor.mark"]}
        found = home.call("history/history_during_period", **asked)
        return any(state["s"] == mark for state in found.get("sensor.mark", ()))

    wait_for("recorded state", last_mark)


def add_statistics(home: HomeAssistant, statistic_id: str, first: datetime, sums: list[float]) -> None:
    """As an integration that reads a supplier's web site does: one sum an hour."""
    metadata = {
        "statistic_id": statistic_id,
        "source": statistic_id.partition(":")[0],
        "name": "Énergie ☀ “supplied”",
        "unit_of_measurement": "kWh",
        "unit_class": "energy",
        "has_sum": True,
        "mean_type": 0,
    }
    stats = [
        {"start": _iso(first + timedelta(hours=hour)), "state": value / 3, "sum": value}
        for hour, value in enumerate(sums)
    ]
    home.call("recorder/import_statistics", metadata=metadata, stats=stats)


def complaints(log: str) -> list[str]:
    """What the log says about the database, at the level of a warning or above."""
    return [
        message
        for message in re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", log)
        if re.search(r" (WARNING|ERROR|CRITICAL) ", message)
        and re.search(r"recorder|history|statistic|sqlalchemy|psycopg|[Dd]atabase", message)
    ]


def _now() -> datetime:
    return datetime.now(UTC)


def _iso(moment: datetime) -> str:
    return moment.isoformat()


# -- what it is asked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Questions:
    """What can be asked about a time that is over, so that the answer is the same whenever it is asked."""

    entity_ids: list[str]
    statistic_ids: list[str]
    until: datetime
    compiled_until: datetime  # statistics are compiled afterwards, every five minutes and every hour
    since: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))

    def ask(self, home: HomeAssistant) -> Answers:
        answers: Answers = {}
        for since in (self.since, self.until - ABSENCE / 2):  # the second begins with the states that were there then
            answers |= self._history(home, since)
        answers |= self._statistics(home)
        answers["logbook"] = home.call("logbook/get_events", start_time=_iso(self.since), end_time=_iso(self.until))
        return answers

    def _history(self, home: HomeAssistant, since: datetime) -> Answers:
        period = {"start_time": _iso(since), "end_time": _iso(self.until)}
        answers: Answers = {}
        for some in batched(self.entity_ids, 50, strict=False):
            asked = {**period, "entity_ids": list(some), "significant_changes_only": False}
            for entity_id, states in home.call("history/history_during_period", **asked).items():
                answers[f"history since {since} of {entity_id}"] = states
            given = urlencode({"end_time": _iso(self.until), "filter_entity_id": ",".join(some)})
            for states in home.rest("GET", f"/api/history/period/{quote(_iso(since))}?{given}"):
                answers[f"REST history since {since} of {states[0]['entity_id']}"] = states
        return answers

    def _statistics(self, home: HomeAssistant) -> Answers:
        known = {each["statistic_id"]: each for each in home.call("recorder/list_statistic_ids")}
        answers: Answers = {f"statistic {each}": known.get(each) for each in self.statistic_ids}
        asked = {"start_time": _iso(self.since), "statistic_ids": self.statistic_ids}
        hour = self.compiled_until.replace(minute=0)
        ends = {"5minute": self.compiled_until, "hour": hour, "day": hour.replace(hour=0)}
        for period, end in ends.items():
            found = home.call("recorder/statistics_during_period", **asked, period=period, end_time=_iso(end))
            answers |= {f"{period} statistics of {each}": rows for each, rows in found.items()}
        return answers


def questions(home: HomeAssistant, compiled_until: datetime) -> Questions:
    """About everything that the home has recorded until now."""
    wait_until_recorded(home)
    until = _now()
    queries = ("SELECT entity_id FROM states_meta ORDER BY 1", "SELECT statistic_id FROM statistics_meta ORDER BY 1")
    entity_ids, statistic_ids = ([row[0] for row in rows_of(home.folder / FILE, query)] for query in queries)
    return Questions(entity_ids, statistic_ids, until, compiled_until)


def last_five_minutes() -> datetime:
    now = _now()
    return now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)


def unequal(one: Any, other: Any, where: str = "") -> list[str]:
    """Each line names one value that is not the same on both sides."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted(one.keys() | other.keys(), key=str)
            for line in (
                unequal(one[key], other[key], f"{where} {key}")
                if key in one and key in other
                else [f"{where} {key} is {'not there any more' if key in one else 'new'}"]
            )
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line for at, pair in enumerate(zip(one, other, strict=True)) for line in unequal(*pair, f"{where} [{at}]")
        ]
    return [] if one == other and type(one) is type(other) else [f"{where} was {one!r} and is {other!r}"]


# -- the databases -----------------------------------------------------------------------------------------------------


def rows_of(path: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def edit(path: Path, *scripts: str) -> None:
    """Change the file as a person with sqlite3 would: no foreign key is enforced."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for script in scripts:
            connection.executescript(script)


def copy(path: Path, folder: Path) -> Path:
    """The same file in another folder. Whoever closed it left nothing in the write-ahead log."""
    log = path.with_name(f"{FILE}-wal")
    assert not log.exists() or log.stat().st_size == 0
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(path, folder / FILE))


def put_back(home: HomeAssistant, path: Path) -> None:
    """The stopped home finds this database when it starts."""
    for old in home.folder.glob(f"{FILE}*"):
        old.unlink()
    copy(path, home.folder)


def create_database(url: str, name: str) -> str:
    """As README.md says; returns the URL of the new database."""
    with psycopg.connect(url, autocommit=True) as connection:
        statement = "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0"
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    return url.replace("/postgres?", f"/{name}?")


def ask(url: str, query: str) -> list[Row]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]  # of these tests


def last_ids(url: str) -> dict[str, int]:
    """Table → its highest id, of those that the home writes to every few minutes."""
    keys = {"states": "state_id", "events": "event_id", "recorder_runs": "run_id", "statistics_runs": "run_id",
            "statistics": "id", "statistics_short_term": "id"}  # fmt: skip
    return {table: ask(url, f"SELECT max({key}) FROM {table}")[0][0] for table, key in keys.items()}


def definitions(url: str) -> list[Row]:
    """Everything that a repair or a migration of the schema would change."""
    return ask(
        url,
        """
        SELECT table_name, column_name, data_type || coalesce(character_maximum_length::text, '') || is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3""",
    )


def two_hours_later(path: Path) -> None:
    """Home Assistant was off that long: what the stopped home has in this file is two hours older now."""
    with closing(sqlite3.connect(path)) as connection, connection:
        _set_back(connection.execute, lambda column: f"datetime({column}, '-2 hours') || substr({column}, 20)")


def two_hours_later_in(url: str) -> None:
    with psycopg.connect(url) as connection:
        _set_back(connection.execute, lambda column: f"{column} - interval '2 hours'")


def _set_back(execute: Callable[[str], Any], earlier: Callable[[str], str]) -> None:
    for table, columns in _MOMENTS.items():
        seconds = ABSENCE.total_seconds()
        execute(f"UPDATE {table} SET " + ", ".join(f"{column} = {seconds} - {column}" for column in columns))
        # In two steps, because a row may not even for a moment have the hour of the one before it.
        execute(f"UPDATE {table} SET " + ", ".join(f"{column} = -{column}" for column in columns))
    for table, columns in _DATES.items():
        execute(f"UPDATE {table} SET " + ", ".join(f"{column} = {earlier(column)}" for column in columns))


# -- the migrator ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str


def migrator(folder: Path, *arguments: str | Path) -> Outcome:
    """`migrator …` in that folder; a terminal so wide that no line is broken."""
    program = Path(sys.executable).with_name("migrator")
    environment = os.environ | {"COLUMNS": "10000", "NO_COLOR": "1"}
    done = subprocess.run(
        [str(program), *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    print(done.stderr, done.stdout)
    return Outcome(done.returncode, done.stdout + done.stderr)


def lines_of(folder: Path, name: str) -> list[Mapping[str, Any]]:
    """The entries of healed.jsonl or rejects.jsonl of the newest run in that folder."""
    newest = max((folder / "migrator-runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)
    file = newest / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
