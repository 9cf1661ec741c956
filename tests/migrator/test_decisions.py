"""What a run writes down of a plan: each column's declared type, its choice, and the reason that stands in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import convert

from migrator.core.decisions import ColumnDecision, TableDecision, decisions_of
from migrator.core.plan_file import from_toml
from migrator.steps.plan import read_schema_of

from .moving import edited, make_source, plan_text

SOURCE = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, "odd, name" , open BOOLEAN);
INSERT INTO rooms VALUES (1, 'kitchen', x'00', 1);
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "home.db", SOURCE)


def decisions(source: Path, text: str) -> list[TableDecision]:
    schema = read_schema_of(source)
    return decisions_of(from_toml(text, schema), text, schema)


def columns(source: Path, text: str) -> dict[str, ColumnDecision]:
    [table] = decisions(source, text)
    return {column.source: column for column in table.columns}


def test_the_reasons_are_those_in_the_plan(source: Path) -> None:
    found = columns(source, plan_text(source))

    assert {name: (column.declared, column.type, column.found) for name, column in found.items()} == {
        "id": ("INTEGER", "bigint", "1 integer 1"),
        "name": ("TEXT", "text", "1 text ≤ 7 characters"),
        "odd, name": ("", "bytea", "1 blob ≤ 1 bytes"),
        "open": ("BOOLEAN", "boolean", "1 integer 1"),
    }
    assert found["id"].settings == {"identity": True, "not_null": True}
    assert found["name"].settings == {"collation": "C"}


def test_a_person_may_write_the_reason_anew_or_leave_it_out(source: Path) -> None:
    text = edited(plan_text(source), "rooms.name", target="title", policy="strip-nul")
    text = text.replace("# TEXT: 1 text ≤ 7 characters", "#   the boss wants it so ")
    text = text.replace("# BOOLEAN: 1 integer 1", "")
    found = columns(source, text)

    assert (found["name"].target, found["name"].found) == ("title", "the boss wants it so")
    assert found["name"].settings == {"collation": "C", "policy": "strip-nul"}
    assert found["open"].why == ""


def test_a_line_may_be_a_table_of_its_own(source: Path) -> None:
    text = "\n".join(line for line in plan_text(source).splitlines() if not line.startswith(("open = ", "# open")))
    text += '\n[tables.rooms.columns.open]  # a switch\ntype = "boolean"\n'

    assert columns(source, text)["open"].why == "a switch"


def test_what_is_left_behind_is_told_as_well(source: Path) -> None:
    left = edited(plan_text(source), "rooms.name", drop=True)
    assert columns(source, left)["name"].dropped

    [table] = decisions(source, left.replace('target = "rooms"', 'target = "rooms"\ndrop = true'))
    assert table.dropped


def test_a_line_of_the_file_can_be_read_again(source: Path) -> None:
    [table] = decisions(source, plan_text(source))

    assert convert(json.loads(json.dumps(table.line())), TableDecision) == table
