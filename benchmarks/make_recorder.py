"""Write a SQLite file shaped like Home Assistant's recorder: `python -m benchmarks.make_recorder FILE [STATES]`

The same data on every machine: they come from a seeded generator. 2,000,000 states, the default, make 3.1 million rows
and 421 MB in about half a minute. The file is in WAL mode, as Home Assistant keeps it.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

STATES = 2_000_000
DEVICES = 1_000
STATES_PER_STATISTIC = 2
STATES_PER_ATTRIBUTES = 20
SEED = 42
EPOCH_S = 1.70e9

_TABLES = """
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255), PRIMARY KEY (metadata_id));
CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL, hash BIGINT, shared_attrs TEXT, PRIMARY KEY (attributes_id));
CREATE TABLE statistics_meta (id INTEGER NOT NULL, statistic_id VARCHAR(255), source VARCHAR(32), unit_of_measurement VARCHAR(255),
  has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255), PRIMARY KEY (id));
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0), event_id SMALLINT,
  last_changed CHAR(0), last_changed_ts FLOAT, last_reported_ts FLOAT, last_updated CHAR(0), last_updated_ts FLOAT,
  old_state_id INTEGER, attributes_id INTEGER, context_id CHAR(0), context_user_id CHAR(0), context_parent_id CHAR(0),
  origin_idx SMALLINT, context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB, metadata_id INTEGER,
  PRIMARY KEY (state_id), FOREIGN KEY(old_state_id) REFERENCES states (state_id),
  FOREIGN KEY(attributes_id) REFERENCES state_attributes (attributes_id), FOREIGN KEY(metadata_id) REFERENCES states_meta (metadata_id));
CREATE TABLE statistics (id INTEGER NOT NULL, created CHAR(0), created_ts FLOAT, metadata_id INTEGER, start CHAR(0), start_ts FLOAT,
  mean FLOAT, min FLOAT, max FLOAT, last_reset CHAR(0), last_reset_ts FLOAT, state FLOAT, sum FLOAT, PRIMARY KEY (id),
  FOREIGN KEY(metadata_id) REFERENCES statistics_meta (id) ON DELETE CASCADE);
"""  # noqa: E501  # the text is kept in the file, byte for byte
_INDEXES = """
CREATE UNIQUE INDEX ix_states_meta_entity_id ON states_meta (entity_id);
CREATE INDEX ix_state_attributes_hash ON state_attributes (hash);
CREATE UNIQUE INDEX ix_statistics_meta_statistic_id ON statistics_meta (statistic_id);
CREATE INDEX ix_states_attributes_id ON states (attributes_id);
CREATE INDEX ix_states_context_id_bin ON states (context_id_bin);
CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
CREATE INDEX ix_states_old_state_id ON states (old_state_id);
CREATE INDEX ix_statistics_start_ts ON statistics (start_ts);
CREATE UNIQUE INDEX ix_statistics_statistic_id_start_ts ON statistics (metadata_id, start_ts);
"""

Row = tuple[Any, ...]


def make_recorder(path: Path, states: int = STATES) -> None:
    """Write the database to `path`, which must not exist; the other tables grow with `states`."""
    numbers = random.Random(SEED)  # noqa: S311  # test data
    attributes = max(1, states // STATES_PER_ATTRIBUTES)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = off")
        connection.execute("PRAGMA synchronous = off")
        connection.execute("PRAGMA cache_size = -200000")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        # The order matters: all rows are drawn from one generator.
        _insert(connection, "states_meta", 2, _states_meta())
        _insert(connection, "statistics_meta", 7, _statistics_meta())
        _insert(connection, "state_attributes", 3, _attributes(numbers, attributes))
        _insert(connection, "states", 20, _states(numbers, states, attributes))
        _insert(connection, "statistics", 13, _statistics(numbers, states // STATES_PER_STATISTIC // DEVICES))
        connection.executescript(_INDEXES)
        connection.execute("ANALYZE")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")


def _insert(connection: sqlite3.Connection, table: str, columns: int, rows: Iterator[Row]) -> None:
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)


def _states_meta() -> Iterator[Row]:
    return ((device, f"sensor.device_{device}_power") for device in range(1, DEVICES + 1))


def _statistics_meta() -> Iterator[Row]:
    for device in range(1, DEVICES + 1):
        unit = "°C" if device % 3 else "kWh"
        yield device, f"sensor.device_{device}_power", "recorder", unit, device & 1, 1 - (device & 1), None


def _attributes(numbers: random.Random, count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        digest = numbers.getrandbits(32)
        attributes = {
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "friendly_name": f'Küche {number} "x\\y" 🌡',
            "state_class": "measurement",
            "icon": "mdi:thermometer",
            "last_seen": numbers.random() * 1e6,
        }
        yield number, digest, json.dumps(attributes, ensure_ascii=False)


def _states(numbers: random.Random, count: int, attributes: int) -> Iterator[Row]:
    now = EPOCH_S
    last: dict[int, int] = {}
    for number in range(1, count + 1):
        now += numbers.random() * 2
        device = numbers.randrange(DEVICES) + 1
        chance = numbers.random()
        yield (
            number,
            None,
            _state(numbers, chance),
            None,
            None,
            None,
            None if chance < 0.5 else now - numbers.random() * 100,
            now if chance < 0.1 else None,
            None,
            now,
            last.get(device),
            numbers.randrange(attributes) + 1,
            None,
            None,
            None,
            0,
            numbers.randbytes(16),
            numbers.randbytes(16) if chance < 0.02 else None,
            numbers.randbytes(16) if chance < 0.03 else None,
            device,
        )
        last[device] = number


def _state(numbers: random.Random, chance: float) -> str:
    if chance < 0.8:
        return f"{numbers.gauss(20, 8):.2f}"
    if chance < 0.9:
        return "on"
    return "unavailable" if chance < 0.95 else "unknown"


def _statistics(numbers: random.Random, hours: int) -> Iterator[Row]:
    """One row per hour and device: a mean for the odd devices, a sum for the even ones."""
    number = 0
    for hour in range(hours):
        start = EPOCH_S + 3600 * hour
        for device in range(1, DEVICES + 1):
            number += 1
            value = numbers.gauss(20, 8)
            created = start + 10.123456 + numbers.random()
            head = (number, None, created, device, None, start)
            if device & 1:
                yield (*head, value, value - numbers.random(), value + numbers.random(), None, None, None, None)
            else:
                yield (*head, None, None, None, None, start - 86400, value * 100, value * hour)


if __name__ == "__main__":
    make_recorder(Path(sys.argv[1]), *map(int, sys.argv[2:]))
