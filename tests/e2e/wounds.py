"""Wounds that people report of recorder databases; each is such that healing it gives back what there was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from old_layout import rebuild

type Wound = Callable[[sqlite3.Connection], None]

LOST = "sensor.meter"  # whose last state is there once more, in bytes that are no text


def orphaned_states(connection: sqlite3.Connection) -> None:
    """A purge was interrupted: states name one before them that is gone."""
    connection.execute("UPDATE states SET old_state_id = 900000 + state_id WHERE state_id % 50 = 7")


def nul_in_states(connection: sqlite3.Connection) -> None:
    """A device sent a C string with its end."""
    connection.execute("UPDATE states SET state = state || char(0) WHERE state_id % 50 = 9 AND state <> ''")


def rows_without_id(connection: sqlite3.Connection) -> None:
    """Another tool copied the table without its key, and what was added since has no id."""
    [(declaration,)] = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'statistics'")
    keyless = declaration.replace("id INTEGER NOT NULL", "id INTEGER", 1).replace("PRIMARY KEY (id),", "")
    assert keyless.count("PRIMARY KEY") == 0
    rebuild(connection, "statistics", keyless)
    connection.execute("UPDATE statistics SET id = NULL WHERE id > (SELECT max(id) - 3 FROM statistics)")


def repeated_statistics(connection: sqlite3.Connection) -> None:
    """Hours were compiled twice: first with a sum from zero, and then again."""
    connection.execute("DROP INDEX ix_statistics_short_term_statistic_id_start_ts")
    columns = "created_ts, metadata_id, start_ts, mean, min, max, last_reset_ts, state, sum, mean_weight"
    newest = "SELECT max(id) FROM statistics_short_term"
    connection.execute(
        f"INSERT INTO statistics_short_term ({columns}) SELECT {columns} FROM statistics_short_term "
        f"WHERE id > ({newest}) - 3"
    )
    connection.execute(f"UPDATE statistics_short_term SET sum = 0 WHERE id BETWEEN ({newest}) - 5 AND ({newest}) - 3")


def bytes_that_are_no_text(connection: sqlite3.Connection) -> None:
    """A damaged card or an old driver: SQLite does not look into a text."""
    connection.execute(
        "INSERT INTO states (state, last_updated_ts, metadata_id, old_state_id) SELECT CAST(x'3131FF32' AS TEXT), "
        "last_updated_ts + 1, metadata_id, state_id FROM states WHERE state_id = (SELECT max(state_id) FROM states "
        f"JOIN states_meta USING (metadata_id) WHERE states_meta.entity_id = '{LOST}')"
    )


ALL = (orphaned_states, nul_in_states, rows_without_id, repeated_statistics, bytes_that_are_no_text)


def inflict(path: Path, *wounds: Wound) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA legacy_alter_table = ON")
        for wound in wounds:
            wound(connection)
