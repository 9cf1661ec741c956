"""Names that both engines agree on, and secrets that nobody sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.names import NameBook, collisions, quote_identifier, target_name
from migrator.core.redact import redact


def test_names_are_folded_as_postgresql_folds_them() -> None:
    assert target_name("AlbumId") == "albumid"
    assert target_name("GRÖSSE") == "grÖsse"  # ASCII letters only


@given(st.text(alphabet="aä🏠", min_size=60, max_size=90))
def test_a_long_name_is_cut_to_63_bytes_and_stays_unique(name: str) -> None:
    shortened = target_name(name)

    assert len(shortened.encode()) <= 63
    assert target_name(name + "x") != shortened


def test_collisions_are_found() -> None:
    assert collisions(["User", "user", "other"]) == [("User", "user")]


def test_a_taken_name_gets_a_number() -> None:
    book = NameBook()

    assert [book.take("t_key"), book.take("t_key"), book.take("t_key")] == ["t_key", "t_key_2", "t_key_3"]


def test_quotes_are_doubled_and_nul_is_refused() -> None:
    assert quote_identifier('a"; DROP TABLE x; --') == '"a""; DROP TABLE x; --"'
    with pytest.raises(ValueError, match="0000"):
        quote_identifier("a\0")


@pytest.mark.parametrize(
    "text",
    [
        "connection to postgresql://ha:S3CRET@db/x failed",
        "password=S3CRET host=db",
        "password='S3CRET with spaces' host=db",
        'invalid percent-encoded token: "S3CRET%zz"',
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    assert "S3CRET" not in redact(text, "S3CRET%zz")
