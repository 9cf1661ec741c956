"""The way back: what came out of a SQLite file goes into one again, and is what it was, value by value.

Every folder of scenarios/ comes back too: see test_scenarios.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .databases import NAMES, build
from .moving import move_all
from .returned import assert_same_files, bring_back, schema, settings, wrong_values

# -- whole applications ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_application_comes_back(name: str, database: str, tmp_path: Path) -> None:
    source, again = build(name, tmp_path), tmp_path / "again.db"
    move_all(source, database, workers=2)
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert_same_files(source, again)


@pytest.mark.parametrize("name", NAMES)
def test_an_application_comes_back_from_postgresqls_own_types(name: str, database: str, tmp_path: Path) -> None:
    """jsonb and text[] keep what JSON means and not its bytes; every other column is what it was."""
    source, again = build(name, tmp_path), tmp_path / "again.db"
    moved = move_all(source, database, style="idiomatic", workers=2)
    answer = bring_back(database, again)
    assert answer.code == 0, answer.all
    assert (schema(again), settings(again)) == (schema(source), settings(source))
    assert wrong_values(moved.folder, source, again) == []
