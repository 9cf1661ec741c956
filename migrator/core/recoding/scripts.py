"""A file of SQL → the same file for PostgreSQL: comments and layout stay, and so does what cannot be translated."""

from __future__ import annotations

from pathlib import PurePosixPath

from migrator.core.findings import Finding
from migrator.core.recoding.edits import NewSource, TextEdit, edited
from migrator.core.recoding.respelling import changes
from migrator.core.recoding.target import MARK
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.split import split


def recode_script(name: str, text: str, definitions: Definitions, driver: Driver) -> tuple[NewSource, list[Finding]]:
    """The new text, and what is to be said of its statements; of a file that was rewritten, nothing."""
    if text.startswith(MARK):
        return NewSource(PurePosixPath(name), text, text), []
    edits: list[TextEdit] = []
    findings: list[Finding] = []
    place = 0
    for statement in split(text):
        start = text.index(statement.text, place)
        place = start + len(statement.text)
        result = definitions.rewritten(statement, driver, name)
        findings += result.findings
        if result.output is None:
            continue
        if not result.output:
            end = place + 1 if text[place : place + 1] == ";" else place
            edits.append(TextEdit(start, end, ""))
        elif statement.begins_with("CREATE") or statement.begins_with("DROP"):
            if changes(statement.text, result.output):
                edits.append(TextEdit(start, place, result.output))
        else:
            found = changes(statement.text, result.output)
            edits += [TextEdit(edit.start + start, edit.end + start, edit.new) for edit in found]
    return NewSource(PurePosixPath(name), text, f"{MARK}\n{edited(text, edits)}" if edits else text), findings
