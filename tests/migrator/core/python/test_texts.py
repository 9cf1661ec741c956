"""Which texts an expression may be: every variant, with … where a part is not known and ? for marks."""

from __future__ import annotations

import ast
from textwrap import indent

import pytest

from tests.migrator.core.programs import read

# The body of a function f(a, b, flag, rows), in which text(…) is asked about, and its variants.
TEXTS: list[tuple[str, list[str]]] = [
    ("text('x')", ["x"]),
    ("text('x' 'y')", ["xy"]),
    ("text('x' + 'y' + a)", ["xy…"]),
    ("text(a)", ["…"]),
    ("text(f'x{a}y')", ["x…y"]),
    ("text(f'x{T}y')", ["xusersy"]),
    ("text(f'{T!r}')", ["…"]),
    ("text('x %s y' % a)", ["x … y"]),
    ("text('x %s %d%% y' % (T, a))", ["x users …% y"]),
    ("text('%(n)s' % {'n': a})", ["…"]),
    ("text('x {} {n}'.format(T, n=a))", ["x users …"]),
    ("text('{1}{0}'.format('a', 'b'))", ["ba"]),
    ("text('{{}}'.format())", ["{}"]),
    ("text('a' if flag else 'b')", ["a", "b"]),
    ("text(NAMES['one'])", ["1"]),
    ("text(NAMES[a])", ["1", "2"]),
    ("text(NAMES.get(a, 'c'))", ["1", "2", "c"]),
    ("text(CHANGED['one'])", ["…"]),
    ("text(' '.join(['a', 'b']))", ["a b"]),
    ("text(','.join('?' * len(rows)))", ["?"]),
    ("text(','.join(['?'] * 3))", ["?"]),
    ("text(','.join('?' for _ in rows))", ["?"]),
    ("text(' x '.strip())", [" x "]),
    ("s = 'a'\ntext(s)", ["a"]),
    ("s = 'a'\ns = 'b'\ntext(s)", ["b"]),
    ("s = 'a'\nif flag:\n  s = 'b'\ntext(s)", ["a", "b"]),
    ("if flag:\n  s = 'a'\nelse:\n  s = 'b'\ntext(s)", ["a", "b"]),
    ("s = 'a'\nif flag:\n  s += 'b'\ntext(s)", ["a", "ab"]),
    ("s = 'a'\nfor r in rows:\n  s += 'b'\ntext(s)", ["a", "ab"]),
    ("s = 'a'\ns += a\ntext(s)", ["a…"]),
    ("s = 'a'\nwith open(a):\n  s = 'b'\ntext(s)", ["b"]),
    ("try:\n  s = 'a'\nexcept ValueError:\n  s = 'b'\ntext(s)", ["a", "b"]),
    ("match a:\n  case 1:\n    s = 'a'\n  case _:\n    s = 'b'\ntext(s)", ["a", "b"]),
    ("s, t = 'a', 'b'\ntext(t)", ["b"]),
    ("l = []\nl.append('a')\nif flag:\n  l.append('b')\ntext('+'.join(l))", ["a", "a+b"]),
    ("l, m = ['x'], []\nif flag:\n  l.append('y')\ntext(' '.join(l))", ["x", "x y"]),
    ("for t in ('a', 'b'):\n  text(f'x{t}')", ["xa", "xb"]),
    ("for t in TABLES:\n  text(t)", ["a", "b"]),
    ("for t in sorted(TABLES):\n  text(t)", ["a", "b"]),
    ("for n, t in PAIRS:\n  text(t)", ["x", "y"]),
    ("for i, t in enumerate(TABLES):\n  text(t)", ["a", "b"]),
    ("for i, (n, t) in enumerate(PAIRS):\n  text(n + t)", ["1x", "1y", "2x", "2y"]),
    ("for t in GROWS:\n  text(t)", ["…"]),
    ("for t in rows:\n  text(t)", ["…"]),
    ("text(C.NAME)", ["named"]),
    ("text(TWICE)", ["…"]),
    ("text(unknown.thing)", ["…"]),
    ("s = s2 = 'a'\ntext(s2)", ["a"]),
    ("if (s := 'a'):\n  text(s)", ["a"]),
]
PROGRAM = """
T = 'users'
TABLES = ('a', 'b')
NAMES = {'one': '1', 'two': '2'}
CHANGED = {'one': '1'}
CHANGED['one'] = input()
PAIRS = [('1', 'x'), ('2', 'y')]
GROWS = ['a']
GROWS.append(input())
TWICE = 'a'
TWICE = 'b'
class C:
    NAME = 'named'
def f(a, b, flag, rows):
"""


@pytest.mark.parametrize(("body", "expected"), TEXTS, ids=[body for body, _ in TEXTS])
def test_texts(body: str, expected: list[str]) -> None:
    code = read(PROGRAM + indent(body, "    ") + "\n")
    [call] = [call for call in code.tree.calls["text"] if isinstance(call.node.func, ast.Name)]

    found = code.sites.reader.of(call.node.args[0], call.scope)
    assert sorted({text.filled("…") for text in found}) == sorted(expected)
