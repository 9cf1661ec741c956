"""A rewritten program gives the answers that it gave before, or the rewrite has said what is left to do in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from migrator.steps.schema import pack

from . import servers
from .moving import move
from .small_programs import Program, answers, copy_to, make_database, programs, rules_of, same
from .test_rewrite_python import migrator

PROGRAMS = programs()


@dataclass(frozen=True)
class Rewritten:
    before: dict[str, str]
    after: dict[str, str]
    findings: list[dict[str, Any]]
    left: list[dict[str, Any]]  # what a second run says
    changed_again: list[str]


@pytest.fixture(scope="module")
def rewritten(embedded_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Rewritten:
    """All programs at once, as the files of one folder."""
    folder = tmp_path_factory.mktemp("programs")
    source = make_database(folder / "app.db")
    before = answers(copy_to(folder / "before"), {program.name: str(source) for program in PROGRAMS})
    root = copy_to(folder / "after")
    shutil.copy(source, root)
    first = json.loads(migrator("rewrite", "python", root, "--db", root / "app.db", "--write", "--json").stdout)
    (root / "app.db").unlink()
    again = json.loads(migrator("rewrite", "python", root, "--db", source, "--check", "--json").stdout)
    with ExitStack() as stack:
        base = stack.enter_context(servers.fresh_database(embedded_server))
        move(source, base)
        with psycopg.connect(base) as connection:
            connection.execute(pack().encode())
            name = connection.info.dbname
        after = answers(root, stack.enter_context(_copies(embedded_server, name)))
    return Rewritten(before, after, first["findings"], again["findings"], again["files"])


@contextmanager
def _copies(server: servers.Server, template: str) -> Iterator[dict[str, str]]:
    """A copy of a database for each program."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        names = {program.name: f"{template}_{number}" for number, program in enumerate(PROGRAMS)}
        for name in names.values():
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield {program: server.url(name) for program, name in names.items()}
        finally:
            for name in names.values():
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_same_answer_or_a_word_about_it(program: Program, rewritten: Rewritten) -> None:
    assert rules_of(program, rewritten.findings) == program.reported
    if not program.reported:
        assert same(rewritten.before[program.name], rewritten.after[program.name])


def test_a_second_run_changes_nothing(rewritten: Rewritten) -> None:
    assert rewritten.changed_again == []


def test_what_is_equal_has_nothing_left(rewritten: Rewritten) -> None:
    silent = [program for program in PROGRAMS if not program.reported]
    assert {program.name: found for program in silent if (found := rules_of(program, rewritten.left))} == {}


def test_figures(rewritten: Rewritten, figure: Callable[[str, str], None]) -> None:
    equal = sum(same(rewritten.before[program.name], rewritten.after[program.name]) for program in PROGRAMS)
    silent = sum(not program.reported for program in PROGRAMS)
    assert equal >= silent
    figure("Small programs", f"{len(PROGRAMS)}: {silent} rewritten alone, {equal} with the same answer, none otherwise")
