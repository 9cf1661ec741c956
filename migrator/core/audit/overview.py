"""What people want to know first of an audit: what is left, rule by rule, and whether the database is safe as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.core.audit.result import Audit, StatementUse
from migrator.core.audit.rules import RULES, Hazard, Level, Rule
from migrator.core.findings import count_of


@dataclass(frozen=True)
class Group:
    """The places of one rule, in the order of files and lines."""

    rule: Rule
    hazards: tuple[Hazard, ...]


def groups(audit: Audit) -> list[Group]:
    """Errors first, then by how often they stand."""
    found: dict[str, list[Hazard]] = defaultdict(list)
    for hazard in audit.hazards:
        found[hazard.rule].append(hazard)
    made = [Group(RULES[rule], tuple(hazards)) for rule, hazards in found.items()]
    return sorted(made, key=lambda item: (item.rule.level is not Level.ERROR, -len(item.hazards), item.rule.id))


def declined(audit: Audit) -> dict[str, list[StatementUse]]:
    """The statements that a person has to change, by the rule that declines them; the most frequent first."""
    found: dict[str, list[StatementUse]] = defaultdict(list)
    for statement in audit.statements:
        for rule in statement.declined:
            found[rule].append(statement)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def remaining(audit: Audit) -> str:
    """One sentence that holds the number."""
    summary = audit.summary
    if not summary.left:
        return "Nothing is left to change."
    places = count_of(summary.left, "place is", "places are")
    statements = count_of(summary.statements, "statement")
    return f"{places} left to change; rewrite can do {summary.rewritable:,} of {statements} alone."


def counts(audit: Audit) -> list[tuple[str, str]]:
    """Label and number, for a line of figures."""
    summary = audit.summary
    return [
        ("Left to change", f"{summary.left:,}"),
        ("Files", f"{summary.files:,}"),
        ("Lines", f"{summary.lines:,}"),
        ("Tables", f"{audit.table_count:,}"),
        ("Endpoints", f"{len(audit.endpoints):,}"),
        ("Jobs", f"{len(audit.jobs):,}"),
        ("Statements", f"{summary.statements:,}"),
        ("Rewrite does alone", f"{summary.rewritable:,}"),
    ]


_UNSAFE = {
    "ephemeral-path": "The database lies in memory or in a temporary folder: a restart or a deployment loses it.",
    "connection-across-threads": "Threads share connections: statements of several requests mix in one transaction.",
    "locked-retry": "The program already waits for SQLite's lock: only one process can write at a time.",
    "several-names": "There are several names for one database or table: parts of the program may use different files.",
    "database-url-ignored": "A DATABASE_URL is configured and the program still writes into a file beside it.",
    "json-as-database": "Some of the data is in JSON files, where two processes overwrite each other's changes.",
}


def dangers(audit: Audit) -> Iterator[str]:
    """Why the SQLite file is not safe in production, as far as the code shows it."""
    found = set(audit.summary.hazards)
    yield from (sentence for rule, sentence in _UNSAFE.items() if rule in found)
    writing = [door for door in audit.endpoints if door.writes]
    if writing:
        doors = count_of(len(writing), "endpoint")
        jobs = sum(bool(job.writes) for job in audit.jobs)
        beside = f" and {count_of(jobs, 'job')}" if jobs else ""
        yield f"{doors}{beside} write: one after the other, into a file that a second machine does not see."
