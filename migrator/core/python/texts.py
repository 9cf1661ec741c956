"""Which texts an expression may be, and where in the source each part of them stands.

Literals, constants of any module, f-strings, +, %, .format(), join() and what is added to a variable step by step. What
is not known is a hole; a run of placeholders whose number is not known is Marks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from migrator.core.python.apis import SAME_ELEMENTS
from migrator.core.python.inference import Inference
from migrator.core.python.modules import Binding, Block, Call, How, Module, Scope, last_name
from migrator.core.python.values import External

MOST = 64  # variants of one text; with more it is a hole
_FORMATS = re.compile(r"%(?:\((?P<key>\w+)\))?[-+ #0]*\d*(?:\.\d+)?[sdrfi]|%%")
_FIELDS = re.compile(r"\{\{|\}\}|\{(?P<key>\w*)\}")
_SAME_TEXT = {"strip", "lstrip", "rstrip", "encode", "lower", "upper"}


@dataclass(frozen=True)
class Known:
    """A text that stands in the source: a literal, or that part of an f-string, from `start` on.

    `start` is not 0 where the literal is divided, as by %s or {}; `doubled` are the characters that are written twice
    in such a literal to be there once.
    """

    text: str
    node: ast.expr
    module: Module
    part: int = 0
    start: int = 0
    doubled: str = ""


@dataclass(frozen=True)
class Marks:
    """ ",".join("?" * len(of)): as many placeholders as `of` has elements, if that is known."""

    node: ast.expr
    module: Module
    of: ast.expr | None
    within: ast.JoinedStr | None = None  # the f-string that makes them in a field of its own
    part: int = 0


@dataclass(frozen=True)
class Hole:
    """What is put in here is not known; `scope` is where its expression is to be read.

    `within` is the f-string that it is a field of, `part` which of its parts.
    """

    node: ast.expr
    scope: Scope
    within: ast.JoinedStr | None = None
    part: int = 0

    @property
    def module(self) -> Module:
        return self.scope.module


Piece = Known | Marks | Hole


@dataclass(frozen=True)
class Text:
    """One of the texts that an expression may be."""

    pieces: tuple[Piece, ...] = ()

    def __add__(self, other: Text) -> Text:
        return Text(self.pieces + other.pieces)

    @property
    def is_known(self) -> bool:
        return all(isinstance(piece, Known) for piece in self.pieces)

    @property
    def is_hole(self) -> bool:
        """Whether nothing of it is known."""
        return len(self.pieces) == 1 and isinstance(self.pieces[0], Hole)

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Hole))

    def filled(self, hole: str, marks: str = "?") -> str:
        """The text with something in place of what is not known."""
        return "".join(
            piece.text if isinstance(piece, Known) else marks if isinstance(piece, Marks) else hole
            for piece in self.pieces
        )


Texts = tuple[Text, ...]


class Reader:
    """`of(expression, scope)` gives every variant; one that is nothing but a hole where nothing is known.

    What a method calls self is an instance of the class that the reader is made with, else of any that has the method.
    """

    def __init__(self, inference: Inference, of: Scope | None = None) -> None:
        self.inference = inference
        self.self_class = of
        self._open: set[int] = set()

    def of(self, node: ast.expr, scope: Scope) -> Texts:
        if id(node) in self._open:
            return (_hole(node, scope),)
        self._open.add(id(node))
        try:
            reader: Callable[[ast.expr, Scope], Texts] | None = getattr(
                self, f"_of_{type(node).__name__.lower()}", None
            )
            found = tuple(dict.fromkeys(reader(node, scope))) if reader else ()
        finally:
            self._open.discard(id(node))
        return found if 0 < len(found) <= MOST else (_hole(node, scope),)

    # -- literals ------------------------------------------------------------------------------------------------------

    def _of_constant(self, node: ast.Constant, scope: Scope) -> Texts:
        return (Text((Known(node.value, node, scope.module),)),) if isinstance(node.value, str) else ()

    def _of_joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Texts:
        return self._joined([self._part(node, place, scope) for place in range(len(node.values))])

    def _part(self, node: ast.JoinedStr, place: int, scope: Scope) -> Texts:
        part = node.values[place]
        if isinstance(part, ast.Constant):
            return (Text((Known(str(part.value), node, scope.module, place),)),)
        assert isinstance(part, ast.FormattedValue)
        found = self.of(part.value, scope)
        if part.format_spec is None and part.conversion == -1 and not found[0].is_hole:
            own = found[0].pieces[0] if found[0].pieces else None
            if isinstance(own, Marks) and own.node is part.value:
                return (Text((replace(own, within=node, part=place),)),)
            return found
        return (Text((Hole(part.value, scope, node, place),)),)

    def _of_binop(self, node: ast.BinOp, scope: Scope) -> Texts:
        if isinstance(node.op, ast.Add):
            return self._joined([self.of(node.left, scope), self.of(node.right, scope)])
        if isinstance(node.op, ast.Mod):
            given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            return self._formatted(node.left, scope, _FORMATS, given, {})
        return ()

    def _of_ifexp(self, node: ast.IfExp, scope: Scope) -> Texts:
        return self.of(node.body, scope) + self.of(node.orelse, scope)

    def _of_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Texts:
        return self.of(node.value, scope)

    def _of_call(self, node: ast.Call, scope: Scope) -> Texts:
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr == "join" and len(node.args) == 1:
                return self._of_join(function.value, node, scope)
            if function.attr == "format":
                named = {item.arg: item.value for item in node.keywords if item.arg}
                return self._formatted(function.value, scope, _FIELDS, node.args, named)
            if function.attr == "get" and node.args:
                found = self._chosen(function.value, node.args[0], scope)
                return found + tuple(text for default in node.args[1:2] for text in self.of(default, scope) if found)
            if function.attr in _SAME_TEXT and not isinstance(function.value, ast.Name):
                return self.of(function.value, scope)
        names = {value.name for value in self.inference.of(function, scope) if isinstance(value, External)}
        if names & {"textwrap.dedent", "sqlalchemy.text", "str"} and node.args:
            return self.of(node.args[0], scope)
        return ()

    def _formatted(
        self,
        template: ast.expr,
        scope: Scope,
        fields: re.Pattern[str],
        given: Sequence[ast.expr],
        named: dict[str, ast.expr],
    ) -> Texts:
        """Every variant of the template with its fields filled; nothing where the template itself has holes."""
        found: list[Text] = []
        for text in self.of(template, scope):
            if not text.is_known:
                return ()
            found += self._joined(self._fields(text, scope, fields, given, named))
        return tuple(found)

    def _fields(
        self,
        template: Text,
        scope: Scope,
        fields: re.Pattern[str],
        given: Sequence[ast.expr],
        named: dict[str, ast.expr],
    ) -> Iterator[Texts]:
        used, doubled = 0, "%" if fields is _FORMATS else "{}"
        for piece in template.pieces:
            assert isinstance(piece, Known)
            place = 0
            for found in fields.finditer(piece.text):
                yield _known(piece, place, found.start(), doubled)
                place, key = found.end(), found["key"]
                if key is None and found.group() in ("%%", "{{", "}}"):
                    yield _known(piece, found.start(), found.start() + 1, doubled)
                elif key and not key.isdigit():
                    yield self.of(named[key], scope) if key in named else (_hole(piece.node, scope),)
                else:
                    at = int(key) if key else used
                    used += 1
                    yield self.of(given[at], scope) if at < len(given) else (_hole(piece.node, scope),)
            yield _known(piece, place, len(piece.text), doubled)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _of_join(self, separator: ast.expr, node: ast.Call, scope: Scope) -> Texts:
        marks = self._marks(node, scope)
        if marks is not None:
            return (Text((marks,)),)
        if isinstance(node.args[0], ast.GeneratorExp | ast.ListComp):
            # As many as there are: one of them is known, and a hole says that there may be others.
            return tuple(text + _hole(node, scope) for text in self.of(node.args[0].elt, scope) if not text.is_hole)
        between = self.of(separator, scope)
        variants: list[Text] = []
        for elements in self._lists(node.args[0], scope):
            parts = [part for element in elements for part in (between, element)][1:]
            variants += self._joined(parts) if parts else ()
            if len(variants) > MOST:
                return ()
        return tuple(variants)

    def _marks(self, node: ast.Call, scope: Scope) -> Marks | None:
        assert isinstance(node.func, ast.Attribute)
        if not (isinstance(node.func.value, ast.Constant) and str(node.func.value.value).strip() == ","):
            return None
        of = _marked(node.args[0])
        return Marks(node, scope.module, of if isinstance(of, ast.expr) else None) if of else None

    def _lists(self, node: ast.expr, scope: Scope) -> Iterator[list[Texts]]:
        """Every list that the expression may be: a literal one, and what is appended to a variable."""
        if isinstance(node, ast.List | ast.Tuple):
            yield [self.of(element, scope) for element in node.elts]
        elif isinstance(node, ast.Name):
            yield from self._lists_of_variable(node, scope)

    def _lists_of_variable(self, node: ast.Name, scope: Scope) -> Iterator[list[Texts]]:
        bindings = scope.bindings.get(node.id, [])
        given = _given(bindings[0]) if len(bindings) == 1 else None
        if not isinstance(given, ast.List):
            return
        steps: list[tuple[bool, Texts]] = [(True, self.of(element, scope)) for element in given.elts]
        use = _statement_of(node, scope)
        for call in scope.calls:
            function = call.node.func
            if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
                continue
            if function.value.id != node.id or not call.node.args or not _is_before(call.node, node):
                continue
            if function.attr == "append":
                always = _is_within(call.within, use)
                steps.append((always, self.of(call.node.args[0], scope)))
            elif function.attr in ("extend", "insert"):
                return
        sometimes = [place for place, (always, _) in enumerate(steps) if not always]
        if 2 ** len(sometimes) > MOST:
            return
        for chosen in product((True, False), repeat=len(sometimes)):
            left_out = {place for place, taken in zip(sometimes, chosen, strict=True) if not taken}
            yield [step for place, (_, step) in enumerate(steps) if place not in left_out]

    # -- dictionaries --------------------------------------------------------------------------------------------------

    def _of_subscript(self, node: ast.Subscript, scope: Scope) -> Texts:
        return self._chosen(node.value, node.slice, scope)

    def _chosen(self, dictionary: ast.expr, key: ast.expr, scope: Scope) -> Texts:
        """What a dictionary that nobody changes has under the key, or all of it where the key is not known."""
        constant = self.inference.constant(dictionary, scope)
        literal, owner = constant or (dictionary, scope)
        if not isinstance(literal, ast.Dict) or None in literal.keys:
            return ()
        if constant and (owner.is_function or last_name(dictionary) in self.inference.tree.changed):
            return ()
        values = [
            value
            for name, value in zip(literal.keys, literal.values, strict=True)
            if not isinstance(key, ast.Constant) or (isinstance(name, ast.Constant) and name.value == key.value)
        ]
        return tuple(text for value in values for text in self.of(value, owner))

    # -- variables -----------------------------------------------------------------------------------------------------

    def _of_name(self, node: ast.Name, scope: Scope) -> Texts:
        owner = scope.owner_of(node.id)
        if owner is None:
            return ()
        if owner is scope and owner.is_function:
            return self._flow(node, owner.bindings[node.id], scope)
        constant = self.inference.constant(node, scope)
        return self.of(*constant) if constant else ()

    def _of_attribute(self, node: ast.Attribute, scope: Scope) -> Texts:
        constants = self.inference.constants(node, scope, self.self_class)
        found = (text for constant in constants for text in self.of(*constant))
        return tuple(_hole(node, scope) if text.is_hole else text for text in found)

    def _flow(self, use: ast.Name, bindings: Sequence[Binding], scope: Scope) -> Texts:
        """What a local variable may be where it is used, by the assignments and additions that stand before."""
        state: Texts = ()
        here = _statement_of(use, scope)
        for binding in bindings:
            if binding.how is How.PARAMETER:
                state = (_hole(use, scope),)
                continue
            if not _is_before(binding.value or binding.node, use):
                continue
            new = self._bound(binding, scope)
            if not new:
                return ()
            if binding.how is How.ADDED:
                new = self._joined([state, new])
            state = new if _is_within(binding.within, here) else state + new
            if len(state) > MOST:
                return ()
        return state

    def _bound(self, binding: Binding, scope: Scope) -> Texts:
        given = _given(binding)
        if given is not None:
            return self.of(given, scope)
        if binding.value is None or (binding.path and binding.how is not How.ELEMENT):
            return ()
        if binding.how is How.ADDED:
            return self.of(binding.value, scope)
        return self._elements(binding.value, scope, binding.path) if binding.how is How.ELEMENT else ()

    def _elements(self, node: ast.expr, scope: Scope, path: tuple[int, ...]) -> Texts:
        """Each of the texts that a literal list holds, also under a name; `path` leads into pairs."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            found = [_at(element, path) for element in node.elts]
            return tuple(text for element in found if element is not None for text in self.of(element, scope))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            if node.func.id in SAME_ELEMENTS:
                return self._elements(node.args[0], scope, path)
            return self._elements(node.args[0], scope, path[1:]) if _is_counted(node.func.id, path) else ()
        constant = self.inference.constant(node, scope)
        if constant is None or isinstance(constant[0], ast.Name) or last_name(node) in self.inference.tree.changed:
            return ()
        return self._elements(*constant, path)

    @staticmethod
    def _joined(parts: Iterable[Texts]) -> Texts:
        variants: list[Text] = [Text()]
        for part in parts:
            variants = [before + text for before in variants for text in part]
            if len(variants) > MOST:
                return ()
        return tuple(variants)


def _given(binding: Binding) -> ast.expr | None:
    """What is assigned; of `a, b = x, y` the one at its place."""
    return _at(binding.value, binding.path) if binding.how is How.ASSIGNED else None


def _at(value: ast.expr | None, path: tuple[int, ...]) -> ast.expr | None:
    """What stands at a place in literal lists; None where there is no such place."""
    for place in path:
        value = value.elts[place] if isinstance(value, ast.Tuple | ast.List) and place < len(value.elts) else None
    return value


def _is_counted(function: str, path: tuple[int, ...]) -> bool:
    """`for number, element in enumerate(…)`: whether the path leads to the element."""
    return function == "enumerate" and path[:1] == (1,)


def _hole(node: ast.expr, scope: Scope) -> Text:
    return Text((Hole(node, scope),))


def _known(of: Known, start: int, end: int, doubled: str) -> Texts:
    """A part of a literal."""
    text = of.text[start:end]
    part = Known(text, of.node, of.module, of.part, of.start + start, of.doubled + doubled)
    return (Text((part,)) if text else Text(),)


def _marked(node: ast.expr) -> ast.expr | bool:
    """What decides how many "?" there are: the thing that is counted, True where it cannot be told, else False."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for marks, count in ((node.left, node.right), (node.right, node.left)):
            if _is_mark(marks.elts[0] if isinstance(marks, ast.List) and len(marks.elts) == 1 else marks):
                return _counted(count)
    if isinstance(node, ast.GeneratorExp | ast.ListComp) and _is_mark(node.elt) and len(node.generators) == 1:
        generator = node.generators[0]
        return True if generator.ifs else generator.iter
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "list" and node.args:
        return _marked(node.args[0])
    return False


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "?"


def _counted(count: ast.expr) -> ast.expr | bool:
    is_length = isinstance(count, ast.Call) and isinstance(count.func, ast.Name) and count.func.id == "len"
    return count.args[0] if is_length and isinstance(count, ast.Call) and count.args else True


def _is_before(first: ast.AST, second: ast.expr) -> bool:
    end = (getattr(first, "end_lineno", 0), getattr(first, "end_col_offset", 0))
    return end <= (second.lineno, second.col_offset)


def _statement_of(node: ast.expr, scope: Scope) -> tuple[Block, ...]:
    """The blocks around an expression, by the call that it stands in."""
    best: Call | None = None
    for call in scope.calls:
        covers = (call.node.lineno, call.node.col_offset) <= (node.lineno, node.col_offset) and not _is_before(
            call.node, node
        )
        if covers:
            best = call
    if best is not None:
        return best.within
    found = [
        binding
        for bindings in scope.bindings.values()
        for binding in bindings
        if binding.value is not None and _covers(binding.value, node)
    ]
    return found[-1].within if found else ()


def _covers(outer: ast.expr, inner: ast.expr) -> bool:
    return (outer.lineno, outer.col_offset) <= (inner.lineno, inner.col_offset) and not _is_before(outer, inner)


def _is_within(binding: Sequence[Block], use: Sequence[Block]) -> bool:
    """Whether whoever comes to the use has come through the binding's blocks as well."""
    around = [(block.statement, block.part) for block in use]
    return all(_always(block) or (block.statement, block.part) in around for block in binding)


def _always(block: Block) -> bool:
    """A with block and the body of a try are come through whenever what follows them is reached."""
    if isinstance(block.statement, ast.With | ast.AsyncWith):
        return True
    return isinstance(block.statement, ast.Try) and block.part != "handlers"
