"""The rules of an audit: what each finds, why it matters on PostgreSQL, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """ERROR loses data or lets somebody in; WARNING has to change for PostgreSQL."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Rule:
    id: str
    title: str
    why: str
    fix: str
    level: Level = Level.WARNING


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "connection-at-import",
            "A connection is opened while a module is imported",
            "Importing the module needs the database: tests, workers that fork and tools fail or share one connection.",
            "Open it in a function that is called when the program starts, or per request.",
        ),
        Rule(
            "database-url-ignored",
            "SQLite is opened by name although there is a DATABASE_URL",
            "The switch to PostgreSQL is half done: this place goes on writing into the old file, and nobody notices.",
            "Take the connection from the one function that reads DATABASE_URL.",
            Level.ERROR,
        ),
        Rule(
            "connection-across-threads",
            "A connection is used in another thread than the one that made it",
            "sqlite3 refuses it, or is told not to look; statements of several threads mix in one transaction.",
            "Open a connection in each thread, or take one from a pool (psycopg_pool).",
            Level.ERROR,
        ),
        Rule(
            "two-access-patterns",
            "A connection of its own beside the function that gives out connections",
            "Settings, transactions and the move itself have to be done twice, and one of the two is forgotten.",
            "Take the connection from that function.",
        ),
        Rule(
            "injection",
            "SQL is put together from values",
            "A value can end the text it stands in and become SQL; and no translation can be proven.",
            "Pass values as arguments; choose names from a fixed list, or quote them with psycopg.sql.Identifier.",
            Level.ERROR,
        ),
        Rule(
            "pragma",
            "A PRAGMA is executed",
            "PRAGMAs are SQLite's own; PostgreSQL refuses them.",
            "migrator rewrite takes out those that only set something; others are asked of the catalog.",
        ),
        Rule(
            "sqlite-sql",
            "SQL that only SQLite understands, or understands in its own way",
            "PostgreSQL refuses it, or gives another result.",
            "migrator rewrite translates most of it; what it declines it explains.",
        ),
        Rule(
            "statement-after-error",
            "A statement follows one that failed, in the same transaction",
            "In PostgreSQL an error ends the transaction: everything after it fails until a rollback.",
            "Put a savepoint around the first (with connection.transaction():), or use INSERT … ON CONFLICT.",
            Level.ERROR,
        ),
        Rule(
            "locked-retry",
            "A loop waits for SQLite's lock",
            "PostgreSQL has no such lock: the loop hides other errors, such as a connection that was lost.",
            "Remove it; retry on psycopg.errors.SerializationFailure and DeadlockDetected where that can happen.",
        ),
        Rule(
            "several-names",
            "One database or table has several names",
            "Parts of the program may read and write different ones.",
            "Decide which is meant, and name it in one place.",
        ),
        Rule(
            "json-as-database",
            "A JSON file is read, changed and written back",
            "Two processes overwrite each other's changes, and the file is not moved with the database.",
            "Make it a table.",
        ),
        Rule(
            "ephemeral-path",
            "The database lies where it is lost",
            "What is in memory or in a temporary folder is gone after a restart or a deployment.",
            "Name a place that lasts: a PostgreSQL server does.",
            Level.ERROR,
        ),
        Rule(
            "autocommit",
            "What is done relies on SQLite's transactions",
            "sqlite3 commits before a script and keeps definitions without a commit; psycopg takes them back.",
            "Say commit() where something is to be kept.",
        ),
        Rule(
            "left-over",
            "A rewritten program still has SQLite's SQL or calls",
            "The connection is PostgreSQL's now, which refuses them when they are reached.",
            "Write them for PostgreSQL; migrator rewrite python --check names them until then.",
        ),
        Rule(
            "int-for-boolean",
            "Numbers and booleans stand for one another",
            "PostgreSQL does not compare or store 1 as true, nor true as 1.",
            "Pass int(value) to columns that hold numbers, and true or false to columns that are boolean.",
        ),
    )
}


@dataclass(frozen=True, order=True)
class Hazard:
    """A place where a rule applies; `detail` says what is special about it, `source` is the line as it stands there."""

    file: str
    line: int
    rule: str
    detail: str = ""
    source: str = ""
