"""What to do about what is not translated or not carried, by the rule of its finding."""

from __future__ import annotations

_BY_HAND = "Write it for PostgreSQL by hand; docs/rewriting.md says what is translated."
_ADVICE = {
    "syntax": "Correct it: SQLite does not take it either, or ask SQLite what it makes of it.",
    "statement": "Leave it to SQLite, or do what it is for with PostgreSQL's own statements.",
    "placeholder": "Write the placeholders as ?, ?NNN or :name.",
    "placeholder-types": "Give each place an argument of its own, or say in each what it is: CAST(? AS TEXT).",
    "no-table": "Name the database that has the table with --db, or put its CREATE TABLE into the script.",
    "function": "Do it in the program, or write a function of that name in PostgreSQL and call it there.",
    "connection-state": "Use RETURNING, or what the driver says of the statement: rowcount.",
    "catalog": "Ask PostgreSQL's catalog: information_schema, pg_tables, pg_indexes, to_regclass().",
    "or-replace": "Delete the rows that are in the way, then insert; or say ON CONFLICT (key) DO UPDATE.",
    "pragma": "Ask PostgreSQL's catalog, or leave it out; a version of the schema can stand in a table of its own.",
    "attach": "Carry both databases into schemas of one, and name tables by their schema.",
    "localtime": "Give the zone: compute the time in the program, or say … AT TIME ZONE in PostgreSQL.",
    "subsec": "Use julianday(), or strftime('%f', …).",
    "widened": "CAST(column AS TEXT) gives it as the text that it is now; or give the column one storage class.",
    "trigger": "Write the trigger for PostgreSQL by hand, or do in the program what it does.",
    "definition": "Make it for PostgreSQL by hand: migrator schema prints what a run makes.",
    "view": "Make the view in PostgreSQL by hand, or write its SELECT so that it can be translated.",
    "index": "Make the index in PostgreSQL by hand, or leave it out: drop_indexes in the plan.",
    "check": "Add the constraint in PostgreSQL by hand, where it is needed.",
    "default": "Give the column its default in PostgreSQL by hand, or its value in every INSERT.",
    "generated-column": "Compute its values in PostgreSQL: a trigger, or GENERATED ALWAYS AS by hand.",
    "primary-key": "Carry all of its columns, or give the table an identity column with rowid in the plan.",
    "foreign-key": "Add the constraint in PostgreSQL by hand, where it is needed.",
    "on-conflict": "Say ON CONFLICT in the statements that need it.",
}


def advice(rule: str) -> str:
    return _ADVICE.get(rule, _BY_HAND)
