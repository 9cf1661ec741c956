"""The plan as a file: what is written can be read, what a person wrote survives, mistakes are said with their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.core.census import TableCensus
from migrator.core.errors import PlanError
from migrator.core.model import Affinity, Column, Schema, Table, TableKind
from migrator.core.plan import Orphans, Plan, Policy, Style, check_fingerprint, check_plan
from migrator.core.plan_file import forget, from_toml, refresh, to_toml
from migrator.core.planning import draft_plan

ROWS = [(1, "a@b.c", 1, "2024-01-01 10:00:00"), (2, None, 0, "2024-01-02 10:00:00")]


def column(name: str, declared_type: str, affinity: Affinity) -> Column:
    return Column(name, declared_type, affinity, not_null=False, default=None, collation="BINARY")


USERS = Table(
    name="Users",
    kind=TableKind.TABLE,
    columns=(
        column("id", "INTEGER", Affinity.INTEGER),
        column("email", "TEXT", Affinity.TEXT),
        column("is_active", "INTEGER", Affinity.INTEGER),
        column("created_at", "TEXT", Affinity.TEXT),
    ),
    primary_key=("id",),
    rowid_alias="id",
    autoincrement=False,
    without_rowid=False,
    strict=False,
    checks=(),
    foreign_keys=(),
    indexes=(),
    sql='CREATE TABLE "Users" (…)',
)
SCHEMA = Schema((USERS,), (), (), "UTF-8", 0, 0)


def drafted(style: Style = Style.FAITHFUL) -> Plan:
    census = TableCensus.empty(4)
    census.add(ROWS)
    return draft_plan(SCHEMA, {"Users": census}, {}, (), style, "UTC", "public").plan


TEXT = to_toml(drafted())


@pytest.mark.parametrize("style", list(Style))
def test_what_is_written_can_be_read(style: Style) -> None:
    plan = drafted(style)
    read = from_toml(to_toml(plan), SCHEMA)

    assert [(c.source, c.target, c.type, c.options, c.identity) for c in read.tables[0].columns] == [
        (c.source, c.target, c.type, c.options, c.identity) for c in plan.tables[0].columns
    ]
    check_plan(read, SCHEMA)
    check_fingerprint(read, SCHEMA)


def test_evidence_and_the_other_style_stand_beside_a_line() -> None:
    assert 'is_active = {type = "bigint"} # INTEGER: 2 integers 0 … 1' in TEXT
    assert '# is_active = {type = "boolean"}   # idiomatic' in TEXT
    assert '# created_at = {type = "timestamptz", format = "YYYY-MM-DD HH:MM:SS", zone = "UTC"}   # idiomatic' in TEXT


def test_the_other_style_can_be_taken_by_moving_one_comment_sign() -> None:
    edited = TEXT.replace("is_active = {type", "# is_active = {type", 1).replace(
        '# is_active = {type = "boolean', 'is_active = {type = "boolean'
    )

    assert str(from_toml(edited, SCHEMA).tables[0].columns[2].type) == "boolean"


def test_comments_and_edits_survive_a_refresh() -> None:
    edited = TEXT.replace("[tables.Users]", "# ours, do not touch\n[tables.Users]").replace(
        'email = {type = "text"', 'email = {type = "varchar(80)"'
    )
    wider = replace(USERS, columns=(*USERS.columns, column("note", "TEXT", Affinity.TEXT)))
    census = TableCensus.empty(5)
    fresh = draft_plan(
        replace(SCHEMA, tables=(wider,)), {"Users": census}, {}, (), Style.FAITHFUL, "UTC", "public"
    ).plan

    text = refresh(edited, fresh)

    assert "# ours, do not touch" in text
    assert 'email = {type = "varchar(80)"' in text
    assert 'note = {type = "text"' in text
    assert from_toml(text, SCHEMA).fingerprint == fresh.fingerprint


def test_a_rule_beats_the_lines_it_matches_unless_a_line_opts_out() -> None:
    rule = '[rules]\n"*.created_at" = {type = "timestamptz", format = "YYYY-MM-DD HH:MM:SS", zone = "Europe/Berlin"}\n'
    with_rule = TEXT.replace("[rules]\n", rule)
    [table] = from_toml(with_rule, SCHEMA).tables
    assert (str(table.columns[3].type), table.columns[3].options.zone) == ("timestamptz", "Europe/Berlin")

    exempt = with_rule.replace('created_at = {type = "text"', 'created_at = {rule = false, type = "text"')
    assert str(from_toml(exempt, SCHEMA).tables[0].columns[3].type) == "text"


@pytest.mark.parametrize(
    ("policy", "type_name", "holds"),
    [
        ("widen", "text", "number"),
        ("bytea", "bytea", "text"),
        ("reject", "bigint", None),
        ("null-if-empty", "bigint", None),
    ],
)
def test_policies_of_a_column(policy: str, type_name: str, holds: str | None) -> None:
    edited = TEXT.replace('is_active = {type = "bigint"}', f'is_active = {{type = "bigint", policy = "{policy}"}}')
    planned = from_toml(edited, SCHEMA).tables[0].columns[2]

    assert (str(planned.type), planned.options.holds, planned.policy) == (type_name, holds, Policy(policy))


def test_drop_rename_and_orphans() -> None:
    edited = (
        TEXT.replace('target = "users"', 'target = "people"')
        .replace('email = {type = "text"', 'email = {drop = true, type = "text"')
        .replace("is_active = {type", 'is_active = {target = "active", type', 1)
        .replace("[fingerprint]", '[tables.Users.foreign_keys]\nemail = {orphans = "null"}\n\n[fingerprint]')
    )
    [table] = from_toml(edited, SCHEMA).tables

    assert (table.target, [c.target for c in table.carried]) == ("people", ["id", "active", "created_at"])
    assert table.orphans == {("email",): Orphans.NULL}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version = 1", "version = 99", "version 99"),
        ('style = "faithful"', 'style = "fancy"', "fancy"),
        ('email = {type = "text"', 'email = {tipe = "text"', "tipe"),
        ('email = {type = "text"', 'email = {type = "real"', "double precision"),
        ('email = {type = "text"', 'email = {policy = "drop", type = "text"', "policy"),
        ('email = {type = "text", collation = "C"}', "email = 5", "inline table"),
        ("[rules]", "[rules", "TOML"),
        ('email = {type = "text"', 'email = {drop = "no", type = "text"', "true or false"),
        ('target = "users"', 'drop = "false"', "true or false"),
        ('policy = "reject"', 'policy = "widen"', "lines of the columns"),
        ("[rules]", '[rules]\n"*.creatd_at" = {type = "date"}', "matches no column"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, says: str) -> None:
    with pytest.raises(PlanError) as raised:
        from_toml(TEXT.replace(old, new, 1), SCHEMA)
    assert says in str(raised.value)


def test_a_changed_source_is_refused_with_the_difference() -> None:
    plan = from_toml(TEXT, SCHEMA)
    other = replace(SCHEMA, tables=(replace(USERS, sql="CREATE TABLE other"), replace(USERS, name="new")))

    with pytest.raises(PlanError, match=r"new: new; changed: Users"):
        check_fingerprint(plan, other)


def test_every_column_is_carried_or_dropped() -> None:
    without = "\n".join(line for line in TEXT.splitlines() if not line.startswith("email"))

    with pytest.raises(PlanError, match="Column email of Users is neither carried nor dropped"):
        check_plan(from_toml(without, SCHEMA), SCHEMA)


def test_what_the_source_no_longer_has_is_forgotten_by_a_refresh() -> None:
    narrower = replace(USERS, columns=USERS.columns[:2])
    census = TableCensus.empty(2)
    fresh = draft_plan(
        replace(SCHEMA, tables=(narrower,)), {"Users": census}, {}, (), Style.FAITHFUL, "UTC", "public"
    ).plan
    gone = TEXT.replace("[fingerprint]", '[tables.gone]\n[tables.gone.columns]\nx = {type = "text"}\n\n[fingerprint]')

    read = from_toml(forget(gone, fresh), SCHEMA)

    assert [table.source for table in read.tables] == ["Users"]
    assert [column.source for column in read.tables[0].columns] == ["id", "email"]


def test_every_table_is_carried_covered_or_dropped() -> None:
    plan = from_toml(TEXT, SCHEMA)
    other = replace(SCHEMA, tables=(USERS, replace(USERS, name="forgotten")))

    with pytest.raises(PlanError, match="forgotten is neither carried, covered nor dropped"):
        check_plan(plan, other)
