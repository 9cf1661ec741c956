"""What a module binds and calls, which module an import means, and what cannot be read."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from migrator.core.python.kept import Kept
from migrator.core.python.modules import How, Unreadable, read_module
from tests.migrator.core.programs import read


def test_bindings_of_a_function() -> None:
    module = read_module(
        PurePosixPath("a/b.py"),
        "def f(p, *rest, q=1, **more):\n"
        "    import os.path, sys as system\n"
        "    x, (y, *z) = p\n"
        "    x += 1\n"
        "    with p as w: pass\n"
        "    for e in p: pass\n"
        "    try: pass\n"
        "    except OSError as error: pass\n"
        "    match p:\n"
        "        case {'k': k, **others}: pass\n"
        "        case [first, *tail] as whole: pass\n"
        "    [c for c in p]\n"
        "    def inner(): pass\n",
    )
    found = {name: {binding.how for binding in bound} for name, bound in module.scopes[1].bindings.items()}

    assert module.name == "a.b"
    assert found == {
        **{name: {How.PARAMETER} for name in ("p", "q", "rest", "more")},
        **{name: {How.IMPORTED} for name in ("os", "system")},
        "x": {How.ASSIGNED, How.ADDED},
        "y": {How.ASSIGNED},
        "w": {How.ENTERED},
        **{name: {How.ELEMENT} for name in ("e", "c")},
        **{name: {How.OTHER} for name in ("z", "error", "k", "others", "first", "tail", "whole")},
        "inner": {How.DEFINED},
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = (", 1),
        ("\nprint 'a'", 2),
        ("a = " + "(" * 300 + ")" * 300, 1),
        ("a = " + "-" * 100_000 + "1", 1),
        ("\0", 1),
    ],
)
def test_unreadable(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_module(PurePosixPath("a.py"), text)

    assert caught.value.line == line


IMPORTS: dict[str, tuple[dict[str, str], str, str | None]] = {
    "absolute": ({"a/__init__.py": "", "a/b.py": ""}, "a.b", "a/b.py"),
    "a package": ({"a/__init__.py": "", "a/b.py": ""}, "a", "a/__init__.py"),
    "below src": ({"src/a/b.py": ""}, "a.b", "src/a/b.py"),
    "inside a package, by its tail": ({"p/__init__.py": "", "p/b.py": ""}, "b", None),
    "the standard library's": ({"x/json.py": ""}, "json", None),
    "the nearest of two": ({"one/db.py": "", "two/db.py": ""}, "db", "one/db.py"),
    "above the root": ({"b.py": ""}, "top.b", "b.py"),
    "another folder above": ({"b.py": ""}, "other.b", None),
}


@pytest.mark.parametrize(("files", "name", "expected"), IMPORTS.values(), ids=IMPORTS.keys())
def test_which_module_an_import_means(files: dict[str, str], name: str, expected: str | None) -> None:
    tree = read({"one/main.py": "", **files}, "home", "top").tree
    found = tree.module_named(name, tree.modules[0])

    assert (found.path.as_posix() if found else None) == expected


def test_answers_that_go_round_in_a_circle() -> None:
    """Each is its own name and what the next ones are; asked in any order they are the same."""
    follows = {"a": "bc", "b": "a", "c": "d", "d": "ce", "e": ""}
    reached = {"a": set("abcde"), "b": set("abcde"), "c": set("cde"), "d": set("cde"), "e": set("e")}

    for first in follows:
        kept = Kept()

        def answer(name: str, kept: Kept = kept) -> frozenset[str]:
            return kept(name, lambda: frozenset([name]).union(*(answer(other) for other in follows[name])))

        answer(first)
        assert {name: set(answer(name)) for name in follows} == reached


def test_what_grows_without_end_ends() -> None:
    kept = Kept()

    def answer() -> frozenset[tuple[object, ...]]:
        return kept("list", lambda: frozenset([()]) | frozenset((item,) for item in answer()))

    assert () in answer()
