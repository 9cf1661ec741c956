"""Home Assistant's recorder moves from SQLite to PostgreSQL, and the same Home Assistant goes on there.

One home records to SQLite and is asked about its past. Its database is moved as README.md says, and then the home
answers from PostgreSQL as it did before, value by value. The same for that database in the layout of a Home Assistant
of 2017, and for one with the wounds that people report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import old_layout
import pytest
import wounds
from home_assistant import HomeAssistant, running, wait_for
from mirrored import Database
from recorded import (
    AT_FIRST,
    FILE,
    RECORDING,
    Answers,
    Questions,
    add_statistics,
    ask,
    complaints,
    copy,
    create_database,
    definitions,
    edit,
    last_five_minutes,
    last_ids,
    lines_of,
    migrator,
    put_back,
    questions,
    read_meter,
    recording_to,
    rows_of,
    show,
    two_hours_later,
    two_hours_later_in,
    unequal,
    wait_until_recorded,
)

SUPPLIED = "supplier:energy"
HARD_STATES = {
    "empty": "",
    "longest": "x" * 255,
    "not_a_number": "nan",
    "quotes": "'\"\\\t\n\\n $1 %s :foo",
    "scripts": "Grüße, 你好, שלום, e\u0301, 🏡👨‍👩‍👧",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Recorded:
    """A home that is stopped, its database as it was then, and what it said about its past."""

    home: HomeAssistant
    file: Path
    questions: Questions
    answers: Answers

    @property
    def states(self) -> int:
        return int(rows_of(self.file, "SELECT count(*) FROM states")[0][0])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("recorder")
    with running(folder / "config", RECORDING + AT_FIRST) as home:
        live_through_the_day(home)
        home.stop()
        two_hours_later(home.folder / FILE)
        compiled_until = last_five_minutes()
        with recording_to(home):
            read_meter(home, 112.5)
            asked = questions(home, compiled_until)
            answers = asked.ask(home)
        yield Recorded(home, copy(home.folder / FILE, folder / "recorded"), asked, answers)


def live_through_the_day(home: HomeAssistant) -> None:
    """Demo shows what there can be; kitchen_sink adds statistics of yesterday, and then goes."""
    for value in (100, 103.7, 104.1):
        read_meter(home, value)
    for name, state in HARD_STATES.items():
        show(home, f"sensor.{name}", state, friendly_name=state, nested={"list": [1, 2.5, None, state]})
    home.rest("DELETE", "/api/states/sensor.empty")
    home.rest("POST", "/api/events/doorbell", {"rang": 3, "by": "🔔"})
    home.act("light.turn_off", entity_id="light.kitchen_lights")
    hours = [0.1 * hour for hour in range(900)]
    add_statistics(home, SUPPLIED, last_five_minutes().replace(minute=0) - timedelta(hours=len(hours) + 1), hours)
    wait_until_recorded(home)
    home.remove_entry(home.entry_of("kitchen_sink")["entry_id"])


@pytest.fixture
def database(server: Database, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database."""
    return create_database(server.url, re.sub(r"\W+", "_", request.node.name)[:60])


# -- the database of today ---------------------------------------------------------------------------------------------


def test_there_is_something_to_ask_about(recorded: Recorded) -> None:
    kinds = [re.sub(r" (since|of) .*", "", question) for question in recorded.answers]
    counted = {kind: kinds.count(kind) for kind in kinds}
    print(counted, recorded.states, "states")
    assert counted["history"] >= 200
    assert counted["REST history"] >= 200
    assert counted["5minute statistics"] >= 3
    assert counted["hour statistics"] >= 10
    assert counted["day statistics"] >= 10
    assert len(recorded.answers["logbook"]) >= 40
    assert len(recorded.answers[f"hour statistics of {SUPPLIED}"]) == 900


def test_home_assistant_goes_on_with_postgresql(recorded: Recorded, database: str) -> None:
    home, as_it_was = recorded.home, recorded.file.read_bytes()
    moved = migrator(recorded.file.parent, "run", FILE, database)
    assert moved.code == 0
    assert "none rejected" in moved.said
    assert recorded.file.read_bytes() == as_it_was  # the way back
    before, made = last_ids(database), definitions(database)
    with recording_to(home, database):
        assert unequal(recorded.answers, recorded.questions.ask(home)) == []
        it_records(home, database, before)
        read_meter(home, 120.0)
        add_statistics(home, SUPPLIED, last_five_minutes().replace(minute=0), [1000.5])
        wait_until_recorded(home)
    two_hours_later_in(database)
    with recording_to(home, database):
        wait_until_recorded(home)
        statistics_go_on(home, database, recorded, before)
    assert definitions(database) == made


def it_records(home: HomeAssistant, database: str, before: dict[str, int]) -> None:
    """New rows come after the old ones, and refer to each other."""
    for state in ("21.5", "22.5"):
        show(home, "sensor.new", state)
    wait_until_recorded(home)
    assert home.call("recorder/info")["recording"]
    assert not home.call("recorder/info")["migration_in_progress"]
    for table, key in {"states": "state_id", "events": "event_id", "recorder_runs": "run_id"}.items():
        assert follows(database, table, key, before)
    found = ask(
        database,
        "SELECT s.state, old.state FROM states s JOIN states_meta USING (metadata_id) "
        "LEFT JOIN states old ON old.state_id = s.old_state_id "
        "WHERE states_meta.entity_id = 'sensor.new' ORDER BY s.state_id",
    )
    assert found[-1] == ("22.5", "21.5")


def follows(database: str, table: str, key: str, before: dict[str, int]) -> bool:
    """Whether new rows have the next ids. Each start of Home Assistant takes a few for rows that it only tries out."""
    [(first,)] = ask(database, f"SELECT min({key}) FROM {table} WHERE {key} > {before[table]}")
    return before[table] < first <= before[table] + 10


def statistics_go_on(home: HomeAssistant, database: str, recorded: Recorded, before: dict[str, int]) -> None:
    """What was compiled from states of both databases is one sum; nothing starts from zero."""
    last = recorded.answers["5minute statistics of sensor.meter"][-1]
    wait_for("compiled statistics", lambda: last_ids(database)["statistics_runs"] > before["statistics_runs"] + 20)
    query = (
        "SELECT s.state, sum FROM {} s JOIN statistics_meta m ON m.id = metadata_id "
        "WHERE statistic_id = '{}' ORDER BY start_ts DESC LIMIT 1"
    )
    for table in ("statistics_short_term", "statistics"):
        [(state, total)] = ask(database, query.format(table, "sensor.meter"))
        assert state == 120.0
        assert total - last["sum"] == pytest.approx(120.0 - last["state"])
        assert follows(database, table, "id", before)
    assert ask(database, query.format("statistics", SUPPLIED)) == [(1000.5 / 3, 1000.5)]


def test_home_assistant_goes_back_to_sqlite(recorded: Recorded, database: str, tmp_path: Path) -> None:
    """With what it recorded in PostgreSQL meanwhile."""
    home, file = recorded.home, copy(recorded.file, tmp_path)
    made = rows_of(file, "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2")
    assert migrator(tmp_path, "run", FILE, database).code == 0
    with recording_to(home, database):
        show(home, "sensor.new", "21.5")
        wait_until_recorded(home)
    back = migrator(tmp_path, "run", database, FILE, "--replace", "--yes")
    assert back.code == 0
    assert "none rejected" in back.said
    assert rows_of(file, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2") == made
    put_back(home, file)
    said = len(home.log())
    with recording_to(home):
        assert unequal(recorded.answers, recorded.questions.ask(home)) == []
        show(home, "sensor.new", "22.5")
        wait_until_recorded(home)
        assert not home.call("recorder/info")["migration_in_progress"]
    assert complaints(home.log()[said:]) == []
    found = rows_of(
        home.folder / FILE,
        "SELECT s.state, old.state FROM states s JOIN states_meta USING (metadata_id) "
        "LEFT JOIN states old ON old.state_id = s.old_state_id "
        "WHERE states_meta.entity_id = 'sensor.new' ORDER BY s.state_id",
    )
    assert [state for state, _ in found if state not in ("unavailable", "unknown")] == ["21.5", "22.5"]


# -- the database of a home that is nine years old ---------------------------------------------------------------------


def test_a_database_that_grew_up_with_home_assistant(recorded: Recorded, database: str, tmp_path: Path) -> None:
    """Its columns are in the order in which they came; some are gone today; other integrations have tables in it."""
    home, file = recorded.home, copy(recorded.file, tmp_path)
    old_layout.rewrite(file)
    put_back(home, file)
    with recording_to(home):  # which takes such a file for its own
        assert unequal(recorded.answers, recorded.questions.ask(home)) == []
    moved = migrator(tmp_path, "run", FILE, database)
    assert moved.code == 0
    for column in ("states.domain", "states.created", "events.created"):
        assert f"recorder-column {column}: Not carried" in moved.said
    before, made = last_ids(database), definitions(database)
    with recording_to(home, database):
        assert unequal(recorded.answers, recorded.questions.ask(home)) == []
        it_records(home, database, before)
    assert definitions(database) == made
    assert ask(database, "SELECT day, euros FROM price_history ORDER BY id") == old_layout.PRICES
    assert ask(database, "SELECT count(*) > 100 FROM latest_states") == [(True,)]


# -- wounded databases -------------------------------------------------------------------------------------------------


@pytest.fixture
def file(recorded: Recorded, tmp_path: Path) -> Path:
    return copy(recorded.file, tmp_path)


def test_states_whose_predecessor_is_gone(file: Path, database: str) -> None:
    """Healed, as Home Assistant heals it when it purges: the reference becomes NULL."""
    wounds.inflict(file, wounds.orphaned_states)
    moved = migrator(file.parent, "run", FILE, database)
    assert moved.code == 0
    assert "warning orphans states(old_state_id): Rows name a parent that is gone" in moved.said
    assert "the reference becomes NULL, as Home Assistant does when it purges" in moved.said
    healed = lines_of(file.parent, "healed.jsonl")
    assert {line["policy"] for line in healed} == {"orphans = null"}
    assert len(healed) >= 5


def test_states_with_a_nul(file: Path, database: str) -> None:
    """Healed: PostgreSQL's texts have none, so it is left out."""
    wounds.inflict(file, wounds.nul_in_states)
    moved = migrator(file.parent, "run", FILE, database)
    assert moved.code == 0
    healed = lines_of(file.parent, "healed.jsonl")
    assert {(line["table"], line["column"], line["policy"]) for line in healed} == {("states", "state", "strip-nul")}
    assert f"{len(healed)} values healed" in moved.said


@pytest.mark.parametrize(
    ("wound", "said"),
    [
        (wounds.rows_without_id, "statistics has 3 rows without id"),
        (wounds.repeated_statistics, "statistics_short_term has no unique index over metadata_id, start_ts"),
    ],
    ids=["rows without an id", "repeated statistics"],
)
def test_what_cannot_be_told_apart_is_healed_in_sqlite(
    recorded: Recorded, file: Path, database: str, wound: wounds.Wound, said: str
) -> None:
    """Refused, before anything is copied, with the command that heals it."""
    wounds.inflict(file, wound)
    refused = migrator(file.parent, "run", FILE, database)
    assert refused.code == 4
    assert said in refused.said
    assert ask(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    carry_out(file, refused.said)
    healed = migrator(file.parent, "run", FILE, database)
    assert healed.code == 0
    for table in ("statistics", "statistics_short_term"):
        query = f"SELECT metadata_id, start_ts, state, sum, mean FROM {table} ORDER BY metadata_id, start_ts"
        assert ask(database, query) == rows_of(recorded.file, query)


def carry_out(file: Path, said: str) -> None:
    """The command that was printed, with sqlite3's own library."""
    [script] = re.findall(r'next: .* run: sqlite3 SOURCE "(.+)"$', said, re.MULTILINE)
    edit(file, script)


def test_bytes_that_are_no_text(recorded: Recorded, file: Path, database: str) -> None:
    """Refused until a person has decided: the row is then left out, and stands in rejects.jsonl."""
    wounds.inflict(file, wounds.bytes_that_are_no_text)
    refused = migrator(file.parent, "run", FILE, database)
    assert refused.code == 7
    assert "states.state: " in refused.said
    assert "1 text is not valid in the database's encoding; rows with such a value would be rejected" in refused.said
    assert f"next: Run: migrator plan {FILE} -o plan.toml" in refused.said
    assert ask(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert migrator(file.parent, "plan", FILE, "-o", "plan.toml").code == 7
    moved = migrator(file.parent, "run", FILE, database, "--plan", "plan.toml")
    assert moved.code == 3
    [rejected] = lines_of(file.parent, "rejects.jsonl")
    assert (rejected["table"], rejected["column"], rejected["value_hex"]) == ("states", "state", "3131ff32")
    assert ask(database, "SELECT count(*) FROM states") == [(recorded.states,)]


def test_home_assistant_goes_on_from_a_wounded_database(recorded: Recorded, file: Path, database: str) -> None:
    """With all of them at once it answers as before, because each is healed to what it was."""
    wounds.inflict(file, *wounds.ALL)
    carry_out(file, migrator(file.parent, "run", FILE, database).said)
    assert migrator(file.parent, "plan", FILE, "-o", "plan.toml").code == 7
    assert migrator(file.parent, "run", FILE, database, "--plan", "plan.toml").code == 3
    before = last_ids(database)
    with recording_to(recorded.home, database):
        assert unequal(recorded.answers, recorded.questions.ask(recorded.home)) == []
        it_records(recorded.home, database, before)
