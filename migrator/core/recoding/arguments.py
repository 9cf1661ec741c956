"""The arguments of a call, and what becomes of them when the statement wants them in another shape."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.core.python.kinds import is_bool, is_bytes, is_number
from migrator.core.python.modules import Scope
from migrator.core.python.sites import Site
from migrator.core.python.texts import Marks
from migrator.core.recoding.target import SUPPORT
from migrator.core.sql.placeholders import Argument, Driver
from migrator.core.sql.rewriting import Rewritten

_NUMBERS = ("bigint", "integer", "smallint", "double precision", "numeric")


@dataclass(frozen=True)
class Given:
    """What a call passes.

    `passed` says whether the driver gets any at all, be it an empty list; `listed`, that a run of placeholders is given
    one list. `driver` says whose placeholders are written, `around` what is written around the SQL.
    """

    node: ast.expr | None
    scope: Scope
    many: bool = False  # executemany: a row for each
    passed: bool = False
    listed: bool = False
    driver: Driver = Driver.PSYCOPG
    around: str = "{}"

    @property
    def doubles(self) -> bool:
        """Whether a % that is none of a placeholder's is doubled."""
        return self.driver is Driver.PSYCOPG and (self.passed or self.around != "{}")


@dataclass(frozen=True)
class Reshaped:
    """`template` has `{}` in place of the arguments as they were; `keys` name those of a literal tuple or dict.

    The literal is `of`, or the arguments themselves. `elements` are new spellings of single values; `whole` is all of
    them anew, also where there were none.
    """

    template: str = "{}"
    keys: tuple[str, ...] = ()
    of: ast.expr | None = None
    elements: tuple[tuple[ast.expr, str], ...] = ()
    whole: str = ""


def reshape(given: Given, variants: Sequence[Sequence[Rewritten]], marks: Sequence[Marks]) -> Reshaped | None:
    """None where the arguments would have to be looked into and cannot be."""
    if isinstance(given.node, ast.Constant | ast.JoinedStr):
        return None  # sqlite3 takes a text for its letters
    rendered = [item.rendered for results in variants for item in results if item.rendered and item.rendered.arguments]
    pairs = {argument.source: argument.target for item in rendered for argument in item.arguments}
    elements = _as_expected(given, variants)
    listed = (as_lists(given, marks) or Reshaped()) if marks else Reshaped()
    if marks or all(source == target for source, target in pairs.items()):
        found: Reshaped | None = listed if marks else _in_order_of_names(given, pairs)
        if marks and any(isinstance(target, str) for target in pairs.values()):
            found = _listed_by_name(given, listed, pairs)
    elif all(isinstance(source, int) and isinstance(target, str) for source, target in pairs.items()):
        found = _named(given, {source: str(target) for source, target in pairs.items() if isinstance(source, int)})
    else:
        found = _by_place(given, {item.arguments for item in rendered})
    return replace(found, elements=(*found.elements, *elements)) if found is not None else None


def _in_order_of_names(given: Given, pairs: Mapping[int | str, int | str]) -> Reshaped:
    """sqlite3 takes a sequence for names as well: the first value is for the name that comes first."""
    node = given.node
    if not isinstance(node, ast.Tuple | ast.List) or given.many or not all(isinstance(key, str) for key in pairs):
        return Reshaped()
    if any(isinstance(item, ast.Starred) for item in node.elts) or len(pairs) != len(node.elts):
        return Reshaped()
    return Reshaped(keys=tuple(map(str, pairs)))


def is_spelt(site: Site) -> bool:
    """Whether the values stand one by one in the call itself, so that each of them can be given a name."""
    node = site.arguments
    if site.sink is not None or node is None:
        return False
    literal = _literal(node, site.method == "executemany")
    marks = tuple(piece for text in site.texts for piece in text.pieces if isinstance(piece, Marks))
    if not marks:
        return literal is not None
    listed = as_lists(Given(node, site.scope), marks)
    return listed is not None and (listed.template != "{}" or isinstance(node, ast.Tuple | ast.List))


def _literal(node: ast.expr | None, many: bool) -> ast.Tuple | ast.List | None:
    """The tuple or list of a call, or that of each row."""
    if many:
        node = node.elt if isinstance(node, ast.ListComp | ast.GeneratorExp) else None
    is_literal = isinstance(node, ast.Tuple | ast.List) and not any(isinstance(item, ast.Starred) for item in node.elts)
    return node if is_literal and isinstance(node, ast.Tuple | ast.List) else None


def _named(given: Given, names: dict[int, str]) -> Reshaped | None:
    """A sequence that becomes a mapping: p1, p2 and so on are counted."""
    counted = "{f'p{n}': value for n, value in enumerate({}, 1)}"
    literal = _literal(given.node, given.many)
    if literal is not None:
        return Reshaped(keys=_keys(literal, names), of=literal)
    if given.many:
        return Reshaped(f"[{counted.replace('{}', 'row')} for row in {{}}]")
    return Reshaped(counted) if given.node is not None else None


def _keys(literal: ast.Tuple | ast.List, names: dict[int, str]) -> tuple[str, ...]:
    return tuple(names.get(place, f"p{place + 1}") for place in range(len(literal.elts)))


def _listed_by_name(given: Given, listed: Reshaped, pairs: Mapping[int | str, int | str]) -> Reshaped | None:
    """Lists among values that have names: `(a, *ids)` → `{"p1": a, "p2": list(ids)}`."""
    if listed.template != "{}":
        [name] = pairs.values()
        return Reshaped(f'{{"{name}": {listed.template[1:-1]}}}')
    if isinstance(given.node, ast.Tuple | ast.List):
        names = {source: str(target) for source, target in pairs.items() if isinstance(source, int)}
        return replace(listed, keys=_keys(given.node, names), of=given.node)
    return None


def _by_place(given: Given, variants: set[tuple[Argument, ...]]) -> Reshaped | None:
    """A mapping that becomes a sequence: its values in the new order, which has to be the same for every variant."""
    if len(variants) != 1 or given.node is None:
        return None
    [arguments] = variants
    if any(not isinstance(item.target, int) or not isinstance(item.source, str) for item in arguments):
        return None
    keys = tuple(str(item.source) for item in sorted(arguments, key=lambda item: item.target))
    names = ", ".join(f'"{key}"' for key in keys)
    if given.many:
        return Reshaped(f"[{SUPPORT}.in_order(row, {names}) for row in {{}}]")
    if isinstance(given.node, ast.Dict) and _has_just(given.node, keys):
        return Reshaped(keys=keys, of=given.node)
    return Reshaped(f"{SUPPORT}.in_order({{}}, {names})")


def _has_just(node: ast.Dict, keys: Sequence[str]) -> bool:
    found = [key.value for key in node.keys if isinstance(key, ast.Constant)]
    return len(found) == len(node.keys) and sorted(map(str, found)) == sorted(keys)


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
    for item in (item for results in variants for item in results if item.rendered is not None):
        for argument in item.rendered.arguments if item.rendered else ():
            if argument.target in item.expects:
                expects.setdefault(argument.source, set()).add(item.expects[argument.target])
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


def bytes_for_texts(given: Given, results: Sequence[Rewritten]) -> bool:
    """Whether bytes go where PostgreSQL has a text: it spells them, and refuses nothing."""
    rendered = [(item, item.rendered.arguments) for item in results if item.rendered is not None]
    texts = {one.source for item, all_of_it in rendered for one in all_of_it if item.expects.get(one.target) == "text"}
    return any(key in texts and is_bytes(node, given.scope) for key, node in _elements(given).items())


def may_be_none(given: Given, source: int | str) -> bool:
    """Whether the argument at this place, or of this name, is not surely a number."""
    node = _elements(given).get(source)
    return node is None or not is_number(node, given.scope)


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
