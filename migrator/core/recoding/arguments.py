"""The arguments of a call, and what becomes of them when the statement wants them in another shape."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from migrator.core.python.kinds import is_bool
from migrator.core.python.modules import Scope
from migrator.core.python.texts import Marks
from migrator.core.sql.rewriting import Rewritten

_NUMBERS = ("bigint", "integer", "smallint", "double precision", "numeric")


@dataclass(frozen=True)
class Given:
    """What a call passes.

    `passed` says whether the driver gets any at all, be it an empty list; `listed`, that a run of placeholders is given
    one list.
    """

    node: ast.expr | None
    scope: Scope
    many: bool = False  # executemany: a row for each
    passed: bool = False
    listed: bool = False


@dataclass(frozen=True)
class Reshaped:
    """`template` has `{}` in place of the arguments as they were; `keys` name those of a literal tuple or dict.

    `elements` are new spellings of single values; `whole` is all of them anew, also where there were none.
    """

    template: str = "{}"
    keys: tuple[str, ...] = ()
    elements: tuple[tuple[ast.expr, str], ...] = ()
    whole: str = ""


def reshape(given: Given, variants: Sequence[Sequence[Rewritten]], marks: Sequence[Marks]) -> Reshaped | None:
    """None where the arguments would have to be looked into and cannot be."""
    rendered = [item.rendered for results in variants for item in results if item.rendered and item.rendered.arguments]
    if marks:
        listed = as_lists(given, marks) or Reshaped()
        return replace(listed, elements=(*listed.elements, *_as_expected(given, variants)))
    if all(argument.source == argument.target for item in rendered for argument in item.arguments):
        return Reshaped(elements=_as_expected(given, variants))
    pairs = {argument.source: argument.target for item in rendered for argument in item.arguments}
    if any(not isinstance(source, int) or not isinstance(target, str) for source, target in pairs.items()):
        return _by_place(given, pairs)
    return _named(given, {source: str(target) for source, target in pairs.items() if isinstance(source, int)})


def _named(given: Given, names: dict[int, str]) -> Reshaped | None:
    """A sequence that becomes a mapping: p1, p2 and so on are counted."""
    counted = "{f'p{n}': value for n, value in enumerate({}, 1)}"
    if given.many:
        return Reshaped(f"[{counted.replace('{}', 'row')} for row in {{}}]")
    node = given.node
    if isinstance(node, ast.Tuple | ast.List) and not any(isinstance(item, ast.Starred) for item in node.elts):
        return Reshaped(keys=tuple(names.get(place, f"p{place + 1}") for place in range(len(node.elts))))
    return Reshaped(counted) if node is not None else None


def _by_place(given: Given, pairs: dict[int | str, int | str]) -> Reshaped | None:
    """A mapping that becomes a sequence: its keys in the new order."""
    keys = [str(source) for source, _ in sorted(pairs.items(), key=lambda item: item[1])]
    if given.many or not isinstance(given.node, ast.Dict):
        return None
    return Reshaped(keys=tuple(keys))


# -- lists -------------------------------------------------------------------------------------------------------------


def as_lists(given: Given, marks: Sequence[Marks]) -> Reshaped | None:
    """The arguments with a list for each run of placeholders; None where it cannot be told which they are.

    `(a, *ids, b)` → `(a, list(ids), b)`, and `ids` alone → `[list(ids)]`: in the order of the placeholders."""
    counted = {ast.unparse(mark.of) for mark in marks if mark.of is not None}
    node = given.node
    if given.many or node is None or len(marks) != 1 or not counted:
        return None
    if _is(node, counted):
        return Reshaped("[list({})]")
    if isinstance(node, ast.Tuple | ast.List):
        stars = [item for item in node.elts if isinstance(item, ast.Starred)]
        if len(stars) == 1 and _is(stars[0].value, counted):
            return Reshaped(elements=((stars[0], f"list({ast.unparse(stars[0].value)})"),))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _added(node, counted)
    return None


def _added(node: ast.BinOp, counted: set[str]) -> Reshaped | None:
    """`[a] + ids`: the list is put into one of its own."""
    for side in (node.left, node.right):
        if _is(side, counted):
            other = node.left if side is node.right else node.right
            bracket = "({},)" if isinstance(other, ast.Tuple) else "[{}]"
            if isinstance(other, ast.Tuple | ast.List):
                return Reshaped(elements=((side, bracket.format(f"list({ast.unparse(side)})")),))
    return None


def _is(node: ast.expr, counted: set[str]) -> bool:
    """Whether an expression is what the placeholders were counted by, in a list or tuple of its own."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("list", "tuple")
        and node.args
    ):
        node = node.args[0]
    return ast.unparse(node) in counted


# -- types -------------------------------------------------------------------------------------------------------------


def _as_expected(given: Given, variants: Sequence[Sequence[Rewritten]]) -> tuple[tuple[ast.expr, str], ...]:
    """Values that are surely bool for a number, or a number for a boolean."""
    expects: dict[int | str, set[str]] = {}
    for results in variants:
        for item in results:
            for key, kind in item.expects.items():
                expects.setdefault(key, set()).add(kind)
    found = []
    for key, node in _elements(given).items():
        kinds = expects.get(key, set())
        if kinds and kinds <= set(_NUMBERS) and is_bool(node, given.scope):
            found.append((node, _number(node)))
        elif (
            kinds == {"boolean"}
            and isinstance(node, ast.Constant)
            and node.value in (0, 1)
            and not is_bool(node, given.scope)
        ):
            found.append((node, str(bool(node.value))))
    return tuple(found)


def _elements(given: Given) -> dict[int | str, ast.expr]:
    node = given.node
    if given.many and isinstance(node, ast.ListComp | ast.GeneratorExp):
        node = node.elt
    if isinstance(node, ast.Tuple | ast.List) and not any(isinstance(item, ast.Starred) for item in node.elts):
        return dict(enumerate(node.elts))
    if isinstance(node, ast.Tuple | ast.List):
        first = next(place for place, item in enumerate(node.elts) if isinstance(item, ast.Starred))
        return dict(enumerate(node.elts[:first]))
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
    return {}


def _number(node: ast.expr) -> str:
    """1 for True, 0 for False, int(x) for anything else."""
    return str(int(node.value is True)) if isinstance(node, ast.Constant) else f"int({ast.unparse(node)})"
