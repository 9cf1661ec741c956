"""A recorder database in the layout of a home of 2017, with the columns in the order in which they were added since.

Home Assistant adds columns at the end of SQLite's tables, and removes hardly any. What it wrote into the old ones has
moved to others since, so that they are empty now.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_EVENTS = """
CREATE TABLE events (
    event_id INTEGER NOT NULL, event_type VARCHAR(32), event_data TEXT, origin VARCHAR(32), time_fired DATETIME,
    created DATETIME, context_id VARCHAR(36), context_user_id VARCHAR(36), context_parent_id CHARACTER(36),
    data_id INTEGER, origin_idx SMALLINT, time_fired_ts FLOAT, context_id_bin BLOB, context_user_id_bin BLOB,
    context_parent_id_bin BLOB, event_type_id INTEGER, PRIMARY KEY (event_id))
"""
_STATES = """
CREATE TABLE states (
    state_id INTEGER NOT NULL, domain VARCHAR(64), entity_id VARCHAR(255), state VARCHAR(255), attributes TEXT,
    event_id INTEGER, last_changed DATETIME, last_updated DATETIME, created DATETIME, context_id VARCHAR(36),
    context_user_id VARCHAR(36), old_state_id INTEGER, context_parent_id CHARACTER(36), attributes_id INTEGER,
    origin_idx SMALLINT, last_updated_ts FLOAT, last_changed_ts FLOAT, context_id_bin BLOB, context_user_id_bin BLOB,
    context_parent_id_bin BLOB, metadata_id INTEGER, last_reported_ts FLOAT, PRIMARY KEY (state_id),
    FOREIGN KEY(old_state_id) REFERENCES states (state_id))
"""
_STATISTICS = """
CREATE TABLE {name} (
    id INTEGER NOT NULL, created DATETIME, start DATETIME, mean FLOAT, min FLOAT, max FLOAT, last_reset DATETIME,
    state FLOAT, sum FLOAT, metadata_id INTEGER, created_ts FLOAT, start_ts FLOAT, last_reset_ts FLOAT,
    mean_weight FLOAT, PRIMARY KEY (id), FOREIGN KEY(metadata_id) REFERENCES statistics_meta (id) ON DELETE CASCADE)
"""
_STATISTICS_META = """
CREATE TABLE statistics_meta (
    id INTEGER NOT NULL, statistic_id VARCHAR(255), source VARCHAR(32), unit_of_measurement VARCHAR(255),
    has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255), mean_type SMALLINT NOT NULL DEFAULT 0,
    unit_class VARCHAR(255), PRIMARY KEY (id))
"""
_TABLES = {
    "events": _EVENTS,
    "states": _STATES,
    "statistics_meta": _STATISTICS_META,
    "statistics": _STATISTICS.format(name="statistics"),
    "statistics_short_term": _STATISTICS.format(name="statistics_short_term"),
}
# The way from version 16 is behind it, and every data migration is done; the numbers are those of migration.py.
_HISTORY = """
UPDATE schema_changes SET change_id = change_id + 4;
INSERT INTO schema_changes (change_id, schema_version, changed) VALUES
    (1, 16, '2021-06-02 08:00:00.000000'), (2, 25, '2022-04-06 08:00:00.000000'),
    (3, 33, '2023-03-01 08:00:00.000000'), (4, 43, '2024-04-03 08:00:00.000000');
INSERT INTO migration_changes (migration_id, version) VALUES
    ('state_context_id_as_binary', 2), ('event_context_id_as_binary', 2), ('event_type_id_migration', 1),
    ('entity_id_migration', 1), ('event_id_post_migration', 2), ('entity_id_post_migration', 1);
"""
PRICES = [("2026-11-19", 0.3127), ("2026-11-20", 0.2988)]
# Of another integration, of a dashboard, and of a Home Assistant of long ago.
_EXTRA = """
CREATE TABLE price_history (id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL UNIQUE, euros REAL NOT NULL);
INSERT INTO price_history (day, euros) VALUES ('2026-11-19', 0.3127), ('2026-11-20', 0.2988);
CREATE VIEW latest_states AS SELECT states_meta.entity_id, max(states.state_id) AS state_id FROM states
    JOIN states_meta ON states_meta.metadata_id = states.metadata_id GROUP BY states_meta.entity_id;
CREATE INDEX ix_states_event_id ON states (event_id);
CREATE INDEX ix_events_context_id ON events (context_id);
"""


def rewrite(path: Path) -> None:
    """The same rows in the old layout."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA legacy_alter_table = ON")  # the keys of other tables go on naming the new one
        for name, declaration in _TABLES.items():
            rebuild(connection, name, declaration)
        connection.executescript(_HISTORY + _EXTRA)


def rebuild(connection: sqlite3.Connection, name: str, declaration: str) -> None:
    """Put another table in the place of this one, with the rows and indexes it has."""
    indexes = connection.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type = 'index'", (name,))
    again = [statement for (statement,) in indexes if statement]
    connection.execute(f"ALTER TABLE {name} RENAME TO former")
    connection.execute(declaration)
    both = [
        f'"{column}"'
        for (column,) in connection.execute(
            "SELECT name FROM pragma_table_info(?) INTERSECT SELECT name FROM pragma_table_info('former')", (name,)
        )
    ]
    connection.execute(f"INSERT INTO {name} ({', '.join(both)}) SELECT {', '.join(both)} FROM former")
    connection.execute("DROP TABLE former")
    for statement in again:
        connection.execute(statement)
