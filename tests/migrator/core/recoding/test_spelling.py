"""Literals with other text: whatever their quotes, prefix and parts, Python reads the edited text in them."""

from __future__ import annotations

import ast

import libcst as cst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.recoding.edits import Respelled, TextEdit, edited
from migrator.core.recoding.respelling import changes, tokens_of
from migrator.core.recoding.spelling import respelled

# What is awkward in a literal: quotes, backslashes, braces, lines, and letters beyond ASCII.
TEXTS = st.text(alphabet="ab ?%'\"\\{}\n\tüß𝄞", max_size=12)
PLAIN = st.text(alphabet="ab ?%ü", max_size=8)


def literal(source: str) -> cst.SimpleString | cst.FormattedString | cst.ConcatenatedString:
    node = cst.parse_expression(source)
    assert isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
    return node


def rewritten(source: str, edit: Respelled) -> str:
    return cst.Module([]).code_for_node(respelled(literal(source), edit))


@st.composite
def an_edit(draw: st.DrawFn, length: int) -> TextEdit:
    start = draw(st.integers(0, length))
    return TextEdit(start, draw(st.integers(start, length)), draw(TEXTS))


@given(st.data(), TEXTS)
def test_a_plain_literal(data: st.DataObject, text: str) -> None:
    edit = data.draw(an_edit(len(text)))
    assert ast.literal_eval(rewritten(repr(text), Respelled({0: (edit,)}))) == edited(text, [edit])


@given(st.data(), PLAIN, PLAIN)
def test_implicitly_joined_literals(data: st.DataObject, first: str, second: str) -> None:
    edit = data.draw(an_edit(len(first + second)))
    source = f"({first!r}\n    {second!r})"
    assert ast.literal_eval(rewritten(source, Respelled({0: (edit,)}))) == edited(first + second, [edit])


@given(st.data(), st.text(alphabet="ab ?%'\nü", max_size=12))
def test_three_quotes(data: st.DataObject, text: str) -> None:
    edit = data.draw(an_edit(len(text)))
    assert ast.literal_eval(rewritten(f'"""{text}"""', Respelled({0: (edit,)}))) == edited(text, [edit])


@given(st.data(), TEXTS, TEXTS)
def test_the_parts_of_an_f_string(data: st.DataObject, before: str, behind: str) -> None:
    first, last = data.draw(an_edit(len(before))), data.draw(an_edit(len(behind)))
    source = f"f{_braced(before)[:-1]}{{x}}{_braced(behind)[1:]}" if _same_quotes(before, behind) else None
    if source is None or not before or not behind:
        return
    new = rewritten(source, Respelled({0: (first,), 2: (last,)}))
    assert eval(new, {"x": "…"}) == f"{edited(before, [first])}…{edited(behind, [last])}"


def _braced(text: str) -> str:
    return repr(text).replace("{", "{{").replace("}", "}}")


def _same_quotes(one: str, other: str) -> bool:
    return repr(one)[0] == repr(other)[0]


def test_an_f_string_without_fields_is_a_plain_literal() -> None:
    edit = Respelled({0: (TextEdit(4, 5, "%s"),), 2: (TextEdit(0, 1, ""),)}, frozenset([1]))
    assert rewritten("""f"a = '{name}' -- {{}}\"""", edit) == '''"a = %s -- {}"'''


STATEMENTS = [
    ("SELECT a FROM t WHERE b = ?", "SELECT a FROM t WHERE b = %s"),
    ("SELECT a -- all of them\nFROM t", 'SELECT "A" FROM t'),
    ("INSERT OR IGNORE INTO t VALUES (?)", "INSERT INTO t VALUES (%s) ON CONFLICT DO NOTHING"),
    ("SELECT ifnull(a,0) FROM t", "SELECT coalesce(a,0::bigint) FROM t"),
    ("DELETE FROM t", "DELETE FROM t RETURNING id"),
    ("SELECT 'a%' || ?", "SELECT 'a%%' || %s"),
    ("SELECT a FROM t ORDER BY b, c", 'SELECT a FROM t ORDER BY lower(b COLLATE "C"), c'),
    ("SELECT a FROM t WHERE b >= date(?)", 'SELECT a FROM t WHERE b COLLATE "C" >= sqlite.date(%s)'),
    ("SELECT a, b > 1, NOT c", "SELECT a, (b > 1)::bigint, (NOT c)::bigint"),
    ("SELECT a FROM t ORDER BY t.a", "SELECT a FROM t ORDER BY a"),
    ("SELECT a FROM t, json_each(b)", "SELECT a FROM t, sqlite.json_each(b)"),
]


@pytest.mark.parametrize(("source", "target"), STATEMENTS)
def test_changes_give_the_tokens_of_the_translation(source: str, target: str) -> None:
    new = edited(source, changes(source, target))
    assert changes(new, target) == []
    assert new.count("\n") == source.count("\n")


def test_words_neither_meet_nor_stand_apart() -> None:
    for source, target in STATEMENTS[-5:]:
        assert edited(source, changes(source, target)) == target


WORDS = st.lists(st.sampled_from(["a", "b", ",", "(", ")", "'x y'", "=", "?", "%s", "::", "text"]), max_size=12)


@given(WORDS.map(" ".join), WORDS.map(" ".join))
def test_changes_lead_from_any_text_to_any_other(source: str, target: str) -> None:
    assert changes(edited(source, changes(source, target)), target) == []


WORDS = ["a", "not", "n", "'x'", '"q"', "%s", "1", "2.5", "CASE", "$1", ":a", "?"]
SIGNS = [*"()=<>,-|;:%.?", "<>", "<=", "->", "->>", "||", "::"]


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Tokens side by side, some of which are one token with their neighbour then."""
    found = ""
    for token in draw(st.lists(st.sampled_from(WORDS + SIGNS), max_size=9)):
        found += draw(st.sampled_from(["", " ", "\n"])) + token
    return found


@given(statements(), statements())
def test_the_tokens_of_a_translation_do_not_run_into_each_other(source: str, target: str) -> None:
    assert tokens_of(edited(source, changes(source, target))) == tokens_of(target)


def test_a_translation_keeps_spaces_where_words_meet() -> None:
    source = "SELECT nullif(n, 3), iif(n>3,'a','b') FROM u WHERE not(n)"
    target = "SELECT CASE WHEN n = 3 THEN NULL ELSE n END, CASE WHEN n>3 THEN 'a' ELSE 'b' END FROM u WHERE not n <> 0"
    assert " ".join(edited(source, changes(source, target)).split()) == (
        "SELECT CASE WHEN n = 3 THEN NULL ELSE n END, CASE WHEN n>3 THEN 'a' ELSE 'b' END FROM u WHERE not n <> 0"
    )
