"""Only the statements that change are read with their spaces; the oracle puts each name in its place by hand."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.recoding.blocks import Block, blocks
from migrator.core.recoding.edits import Edit, Range, Removed, Replaced
from migrator.core.recoding.imports import split_lines
from migrator.core.recoding.writing import written

UGLY = '''# first
x(1); x(2)  # two of a line
if x : x(3)
elif x(4) :
\tx (
5)
else :
    x("""
  ä""", x)   ;

x(6) ; \\
x(7)
def f(a = x, *,
      b = x) :  # a head of two lines
    """x"""

    # before
    x( a )  ; x(8)\t# behind
    x(9) ; \\
      x(10)
    try : x(11)
    except x as e :
        x.y( e )

        # between
        x ( f"{ x }" )
    finally :
      x
    return lambda : x

@x
@ x . y
class C ( x ) :
    a = x
    async def g ( self ) :
        async with x as b, x (
            12 ) : await x
        return [ x for z in x if x ]
match x :
    case 1 if x : x
    case x . y :
        x
\x0c
x(\\
 13)'''
NAMES = [
    Range(node.lineno, len(line[: node.col_offset].decode()), node.lineno, len(line[: node.col_offset].decode()) + 1)
    for node in ast.walk(ast.parse(UGLY))
    if isinstance(node, ast.Name) and node.id == "x"
    for line in [split_lines(UGLY)[node.lineno - 1].encode()]
    if not split_lines(UGLY)[node.lineno - 1].lstrip().startswith("x ( f")  # places in f-strings differ by version
]


def by_hand(source: str, places: list[Range]) -> str:
    lines = split_lines(source)
    for place in sorted(places, key=lambda place: (place.line, place.column), reverse=True):
        line = lines[place.line - 1]
        lines[place.line - 1] = f"{line[: place.column]}new{line[place.end_column :]}"
    return "".join(lines)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(places=st.lists(st.sampled_from(NAMES), unique=True))
def test_any_names_become_others(end: str, places: list[Range]) -> None:
    source = UGLY.replace("\n", end)
    edits: dict[tuple[Range, str], list[Edit]] = {(place, "Name"): [Replaced("new")] for place in places}

    assert written(source, edits) == by_hand(source, places)


def test_the_smallest_statements_that_stand_alone() -> None:
    source = 'def f():\n    g("a")\n    if h: g("b")\n    g("c"); i()\n\n@d\ndef j(): pass\n\nk(1)\n'
    lines, tree = split_lines(source), ast.parse(source)

    def found(*numbers: int) -> list[Block]:
        return blocks(tree, lines, [Range(number, 4, number, 5) for number in numbers], [])

    assert found(2) == [Block(2, 2, is_indented=True)]
    assert found(2, 3) == [Block(2, 2, is_indented=True), Block(3, 3, is_indented=True)]
    assert found(4) == [Block(1, 4)]
    assert found(6, 9) == [Block(6, 7), Block(9, 9)]


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("if a:\n    x\n    b\n", "if a:\n    b\n"),
        ("if a:\n    x\n", "if a:\n    pass\n"),
        (
            "for a in b:\n    if a:\n        # why\n        x\nelse:\n    c\n",
            "for a in b:\n    if a:\n        pass\nelse:\n    c\n",
        ),
        ("a\nx\nb\n", "a\nb\n"),
    ],
)
def test_what_goes_leaves_nothing(source: str, left: str) -> None:
    [place] = [
        Range(node.lineno, node.col_offset, node.lineno, node.col_offset + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and node.id == "x"
    ]

    assert written(source, {(place, "Expr"): [Removed()]}) == left
