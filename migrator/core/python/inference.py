"""What a name or an expression of a program may be: by imports, assignments, attributes, parameters and returns.

Not by the order of statements: a name may be whatever it is given anywhere in its scope. A parameter may be what any
call of its function in the program gives it, its default, and what its annotation says.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from migrator.core.python import apis
from migrator.core.python.annotations import Annotations
from migrator.core.python.classes import Classes
from migrator.core.python.constants import Constant, Constants
from migrator.core.python.decorators import Decorators
from migrator.core.python.dependencies import DEPENDS, Dependencies
from migrator.core.python.kept import Kept
from migrator.core.python.modules import Binding, Call, Function, How, Scope
from migrator.core.python.program import Program as Tree
from migrator.core.python.values import (
    NOTHING,
    Bound,
    External,
    Instance,
    Made,
    Managed,
    Method,
    Origin,
    Package,
    Program,
    Several,
    Value,
    Values,
    several,
)

_Stored = dict[tuple[str, str], list[tuple[Binding, Scope]]]  # by the type or name of the owner, and the attribute


class Inference:
    """Values of expressions, worked out when they are asked for and kept."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._once = Kept()
        self._annotations = Annotations(self, self._once)
        self.classes = Classes(self)
        self._constants = Constants(self)
        self._decorators = Decorators(self, self._once)
        self._dependencies = Dependencies(self)
        self._stored: _Stored = {}
        self._stored = self._attributes_of_externals()

    def of(self, node: ast.AST | None, scope: Scope) -> Values:
        """Empty where nothing is known."""
        reader: Callable[[ast.AST, Scope], Values] | None
        reader = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        return reader(node, scope) if reader and node is not None else NOTHING

    def called(self, call: ast.Call, scope: Scope) -> Values:
        """What a call calls."""
        return self.of(call.func, scope)

    def calls_of(self, function: Scope) -> Iterator[Call]:
        """Every call in the program that may be one of this function, also that of a decorator."""
        own = function.name.rpartition(".")[2]
        name = function.name.split(".")[-2] if own == "__init__" and "." in function.name else own
        for called in dict.fromkeys((name, own)):
            yield from self._calls_as(called, function)
        yield from sorted(self._decorators.calls_of(function), key=lambda call: call.line)

    def _calls_as(self, name: str, function: Scope) -> Iterator[Call]:
        """Those that call the function by that name."""
        called = self._once(("calls", name), lambda: self._called_by(name))
        yield from (call for call in self.tree.calls.get(name, ()) if (function, call) in called)

    def _called_by(self, name: str) -> frozenset[tuple[Scope, Call]]:
        return frozenset(
            (function, call) for call in self.tree.calls.get(name, ()) for function in self.functions(call)
        )

    def functions(self, call: Call) -> Iterator[Scope]:
        """The functions of the program that a call may run: for a class its __init__."""
        for value in _whatever_class(self.called(call.node, call.scope)):
            if isinstance(value, Bound) or (isinstance(value, Program) and value.scope.is_function):
                yield value.scope
            elif isinstance(value, Program):
                yield from self.methods(value.scope, "__init__")

    def functions_named(self, node: ast.expr, scope: Scope) -> Iterator[Scope]:
        """The functions that an expression names without calling them: what is handed to a thread or to map()."""
        if isinstance(node, ast.Name | ast.Attribute | ast.Lambda):
            for value in self.of(node, scope):
                if isinstance(value, Program | Bound) and value.scope.is_function:
                    yield value.scope

    def dependencies(self, function: Scope) -> Iterator[Scope]:
        """What FastAPI runs before the function."""
        return self._dependencies.before(function)

    def dependencies_in(self, node: ast.expr, scope: Scope) -> Iterator[Scope]:
        """What FastAPI runs because of that expression: a decorator, a router, a registration."""
        return self._dependencies.within(node, scope)

    def constant(self, node: ast.expr, scope: Scope) -> Constant | None:
        """The expression that a name or attribute is given, where it is given only one, and the scope it stands in."""
        return self._constants.of(node, scope)

    def constants(self, node: ast.Attribute, scope: Scope, of: Scope | None = None) -> Iterator[Constant]:
        """As constant(), for every module or class that the attribute may belong to; self is an instance of `of`."""
        return self._constants.of_attribute(node, scope, of)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _of_name(self, node: ast.Name, scope: Scope) -> Values:
        return self.name(node.id, scope)

    def _of_attribute(self, node: ast.Attribute, scope: Scope) -> Values:
        return self._union(self.attribute(value, node.attr) for value in self.of(node.value, scope))

    def _of_call(self, node: ast.Call, scope: Scope) -> Values:
        return self._union(self._result(value, node, scope) for value in _whatever_class(self.called(node, scope)))

    def _of_await(self, node: ast.Await, scope: Scope) -> Values:
        return self.of(node.value, scope)

    def _of_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Values:
        return self.of(node.value, scope)

    def _of_ifexp(self, node: ast.IfExp, scope: Scope) -> Values:
        return self.of(node.body, scope) | self.of(node.orelse, scope)

    def _of_boolop(self, node: ast.BoolOp, scope: Scope) -> Values:
        return self._union(self.of(value, scope) for value in node.values)

    def _of_subscript(self, node: ast.Subscript, scope: Scope) -> Values:
        base = self.of(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            return base
        return self._union(self._elements(value) for value in base if not _is_cursor(value))

    def _of_listcomp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> Values:
        return frozenset(several(value) for value in self.of(node.elt, scope))

    _of_generatorexp = _of_setcomp = _of_listcomp

    def _of_list(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Values:
        return frozenset(several(value) for element in node.elts for value in self.of(element, scope))

    _of_tuple = _of_set = _of_list

    def _of_lambda(self, node: ast.Lambda, scope: Scope) -> Values:
        return frozenset(Program(inner) for inner in scope.inner if inner.node is node)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _result(self, value: Value, node: ast.Call, scope: Scope) -> Values:
        if isinstance(value, External):
            return self._result_of_external(value.name, node, scope)
        if isinstance(value, Method):
            return self._result_of_method(value)
        if isinstance(value, Program) and value.scope.is_class:
            return frozenset([Instance(value.scope)])
        if isinstance(value, Program | Bound):
            return self.returned(value.scope)
        if isinstance(value, Instance):
            return self._union(self.returned(method) for method in self.methods(value.scope, "__call__"))
        if isinstance(value, Made) and not apis.kind_of(value.type) and not value.type.startswith(apis.CONTAINERS):
            return frozenset([value])  # as its method of that name gives: a chain of calls must not grow in two ways
        return NOTHING

    def _result_of_external(self, name: str, node: ast.Call, scope: Scope) -> Values:
        first = node.args[0] if node.args else None
        if name in DEPENDS:
            return self._dependencies.given(first, scope)
        if name == "contextlib.closing" or name == "contextlib.aclosing":
            return frozenset(Managed(value) for value in self.of(first, scope))
        if name in apis.PASSED_ON:
            return self.of(node.args[-1] if node.args else None, scope)
        if name in apis.SAME_ELEMENTS:
            return frozenset(several(element) for value in self.of(first, scope) for element in self._elements(value))
        if name == "super":
            return frozenset([Made(name), *map(Instance, self.classes.above(scope))])
        if name == "next":
            return self._union(self._elements(value) for value in self.of(first, scope))
        return frozenset([_made(apis.RESULTS.get(name, name), Origin(scope.module, node, scope))])

    def _result_of_method(self, method: Method) -> Values:
        if method.of.type.startswith(apis.CONTAINERS):
            return NOTHING
        kind = apis.kind_of(method.of.type)
        result = apis.METHODS.get((kind, method.name)) if kind else None
        if result is None:
            return frozenset([_made(f"{method.of.type}.{method.name}", method.of.origin)]) if not kind else NOTHING
        return frozenset([Made(f"{apis.library_of(method.of.type)}.{result}", method.of.origin)])

    def returned(self, function: Scope) -> Values:
        """What a call of the function gives: a generator gives several, one under @contextmanager one to enter."""
        return self._once(("returned", function), lambda: self._returned(function))

    def _returned(self, function: Scope) -> Values:
        found = self._union(self.of(value, function) for value in function.returns)
        if isinstance(function.node, Function) and isinstance(function.node.returns, ast.expr) and not found:
            found = self._annotations.of(function.node.returns, function)
        if not function.yields:
            return found
        yielded = self._union(self.of(value, function) for value in function.yields)
        if self.is_decorated(function, apis.CONTEXT_MANAGERS):
            return frozenset(Managed(value) for value in yielded)
        return frozenset(several(value) for value in yielded) | frozenset(
            value if isinstance(value, Several) else several(value) for value in found
        )

    def is_decorated(self, function: Scope, names: Iterable[str]) -> bool:
        return any(
            isinstance(value, External) and value.name in names
            for decorator in getattr(function.node, "decorator_list", ())
            for value in self.of(decorator, function.parent or function)
        )

    # -- names ---------------------------------------------------------------------------------------------------------

    def name(self, name: str, scope: Scope) -> Values:
        """What a name in that scope may be."""
        owner = scope.owner_of(name)
        if owner is None:
            return frozenset([External(name)])
        return self._once(("name", owner, name), lambda: self._of_bindings(owner, owner.bindings[name]))

    def _of_bindings(self, scope: Scope, bindings: Iterable[Binding]) -> Values:
        return self._union(self.bound(binding, scope) for binding in bindings)

    def bound(self, binding: Binding, scope: Scope) -> Values:
        match binding.how:
            case How.ASSIGNED:
                return self._assigned(binding, scope)
            case How.ELEMENT:
                values = self.of(binding.value, scope)
                return self._unpacked(self._union(self._elements(value) for value in values), binding.path)
            case How.ENTERED:
                values = self.of(binding.value, scope)
                return self._unpacked(self._union(self._entered(value) for value in values), binding.path)
            case How.IMPORTED:
                return self._imported(binding, scope)
            case How.PARAMETER:
                return self._parameter(binding, scope)
            case How.DEFINED:
                return frozenset(Program(inner) for inner in scope.inner if inner.node is binding.node)
        return NOTHING

    def _assigned(self, binding: Binding, scope: Scope) -> Values:
        """`a, b = one, two` by its place."""
        value, path = binding.value, binding.path
        if len(path) == 1 and isinstance(value, ast.Tuple | ast.List) and path[0] < len(value.elts):
            return self.of(value.elts[path[0]], scope)
        return self._unpacked(self.of(value, scope), path)

    def _unpacked(self, values: Values, path: tuple[int, ...]) -> Values:
        for _ in path:
            values = self._union(self._elements(value) for value in values)
        return values

    def _imported(self, binding: Binding, scope: Scope) -> Values:
        node = binding.node
        name = next(name for name, all_of_it in scope.bindings.items() if binding in all_of_it)
        if isinstance(node, ast.Import):
            alias = next(item for item in node.names if name in (item.asname, item.name.partition(".")[0]))
            return self._module(alias.name if alias.asname else name, scope)
        within, module, imported = self.tree.imported(binding, name, scope)
        if within is not None and imported in within.scope.bindings and within is not scope.module:
            return self.name(imported, within.scope)
        return self._module(f"{module}.{imported}" if module else imported, scope)

    def _module(self, name: str, scope: Scope) -> Values:
        found = self.tree.module_named(name, scope.module)
        return frozenset([Package(found)]) if found else frozenset([External(_same(name))])

    # -- parameters ----------------------------------------------------------------------------------------------------

    def _parameter(self, binding: Binding, scope: Scope) -> Values:
        argument = binding.node
        assert isinstance(argument, ast.arg)
        outside = scope.parent or scope
        found = self._annotations.of(argument.annotation, outside) | self.of(binding.value, outside)
        if self._is_self(argument, scope) and scope.parent:
            return found | {Instance(scope.parent)}
        return found | self._union(
            self.of(given, call.scope)
            for call in self.calls_of(scope)
            if (given := self.argument(call, scope, argument))
        )

    def _is_self(self, argument: ast.arg, scope: Scope) -> bool:
        if not (scope.parent and scope.parent.is_class and scope.parameters() and scope.parameters()[0] is argument):
            return False
        return not self.is_decorated(scope, ("staticmethod",))

    def argument(self, call: Call, function: Scope, argument: ast.arg) -> ast.expr | None:
        """What this call gives that parameter; None where it gives nothing, or it cannot be told."""
        for keyword in call.node.keywords:
            if keyword.arg == argument.arg:
                return keyword.value
        names = [item.arg for item in function.parameters()]
        if argument.arg not in names:
            return None
        place = self.place(call, function, names.index(argument.arg))
        given = call.node.args
        if (
            place is None
            or not 0 <= place < len(given)
            or any(isinstance(item, ast.Starred) for item in given[: place + 1])
        ):
            return None
        return given[place]

    def place(self, call: Call, function: Scope, parameter: int) -> int | None:
        """Where in a call the value of the parameter at that place stands; None where its decorator gives it."""
        found = self._decorators.place(function, parameter, call)
        first = next(iter(function.parameters()), None)
        is_bound = first is not None and self._is_self(first, function) and not self._is_unbound(call)
        return found - 1 if found is not None and is_bound else found

    def _is_unbound(self, call: Call) -> bool:
        """`Store.add(store, …)`: the instance is the first argument."""
        values = self.called(call.node, call.scope)
        return not any(
            isinstance(item, Bound) or (isinstance(item, Program) and item.scope.is_class) for item in values
        )

    # -- attributes ----------------------------------------------------------------------------------------------------

    def attribute(self, value: Value, name: str) -> Values:
        """What `value.name` may be."""
        if isinstance(value, External):
            return self._once(("stored", value, name), lambda: self._attribute_of_external(value.name, name))
        if isinstance(value, Made):
            return self._attribute_of_made(value, name)
        if isinstance(value, Package):
            return self._attribute_of_module(value, name)
        if isinstance(value, Instance):
            return self._once(("attribute", value.scope, name), lambda: self._attribute_of_instance(value.scope, name))
        if isinstance(value, Program) and value.scope.is_class:
            return self._attribute_of_class(value.scope, name)
        return NOTHING

    def _attribute_of_external(self, owner: str, name: str) -> Values:
        stored = self._union(self.bound(binding, scope) for binding, scope in self._stored.get((owner, name), ()))
        return stored or frozenset([External(_same(f"{owner}.{name}"))])

    def _attribute_of_made(self, value: Made, name: str) -> Values:
        if apis.kind_of(value.type):
            if value.type.endswith(f".{apis.CURSOR}") and name == "connection":
                return frozenset([Made(f"{apis.library_of(value.type)}.{apis.CONNECTION}", value.origin)])
            return frozenset([Method(value, name)])
        key = (value.type, name)
        stored = self._once(
            ("stored", *key),
            lambda: self._union(self.bound(binding, scope) for binding, scope in self._stored.get(key, ())),
        )
        if stored:
            return stored
        if not apis.is_followed(value.type):
            return frozenset([value])
        full = f"{value.type}.{name}"
        return frozenset([Made(apis.ATTRIBUTES.get(full, full), value.origin), Method(value, name)])

    def _attribute_of_module(self, value: Package, name: str) -> Values:
        module = value.module
        if name in module.scope.bindings:
            return self.name(name, module.scope)
        found = self.tree.module_named(f"{module.name}.{name}", module)
        return frozenset([Package(found)]) if found else NOTHING

    def _attribute_of_class(self, scope: Scope, name: str) -> Values:
        values: Values = NOTHING
        for owner in self.lineage(scope):
            found = self.name(name, owner) if name in owner.bindings else NOTHING
            values |= self._union(self._seen_from_class(value, scope) for value in found)
        return values

    def _seen_from_class(self, value: Value, of: Scope) -> Values:
        is_function = isinstance(value, Program) and value.scope.is_function
        if isinstance(value, Program) and is_function and self.is_decorated(value.scope, ("classmethod",)):
            return frozenset([Bound(value.scope, of)])
        return frozenset([value])

    def _attribute_of_instance(self, scope: Scope, name: str) -> Values:
        values: Values = NOTHING
        for owner in self.lineage(scope):
            if name in owner.bindings:
                values |= self._union(self._seen_from_instance(value, scope) for value in self.name(name, owner))
            for method in owner.inner:
                for target, binding in method.attributes.get(name, ()):
                    if (
                        isinstance(target.value, ast.Name)
                        and method.parameters()[:1]
                        and (target.value.id == method.parameters()[0].arg)
                    ):
                        values |= self.bound(binding, method)
        return values

    def _seen_from_instance(self, value: Value, of: Scope) -> Values:
        """A function of the class is a method; what stands under @property is what it returns."""
        if not (isinstance(value, Program) and value.scope.is_function):
            return frozenset([value])
        if self.is_decorated(value.scope, ("property", "functools.cached_property")):
            return self.returned(value.scope)
        return frozenset([Bound(value.scope, of)])

    def lineage(self, scope: Scope) -> Iterator[Scope]:
        """The class and those of the program that it inherits from."""
        seen = [scope]
        for current in seen:
            yield current
            for base in getattr(current.node, "bases", ()):
                for value in self.of(base, current.parent or current):
                    if isinstance(value, Program) and value.scope.is_class and value.scope not in seen:
                        seen.append(value.scope)

    def methods(self, scope: Scope, name: str) -> Iterator[Scope]:
        """Those of a class, its own and what it inherits."""
        for value in self._attribute_of_class(scope, name):
            if isinstance(value, Bound) or (isinstance(value, Program) and value.scope.is_function):
                yield value.scope

    # -- what iterating and entering give ------------------------------------------------------------------------------

    def _elements(self, value: Value) -> Values:
        if isinstance(value, Several):
            return frozenset([value.element])
        if isinstance(value, Made):
            kind, library = apis.kind_of(value.type), apis.library_of(value.type)
            if kind in (apis.ROWS, apis.CURSOR):
                return frozenset([Made(f"{library}.{apis.ROW}", value.origin)])
        return NOTHING

    def _entered(self, value: Value) -> Values:
        if isinstance(value, Managed):
            return frozenset([value.content])
        if isinstance(value, Instance):
            methods = [*self.methods(value.scope, "__enter__"), *self.methods(value.scope, "__aenter__")]
            return self._union(self.returned(method) for method in methods)
        return frozenset([value])

    # -- attributes of what lies outside the program -------------------------------------------------------------------

    def _attributes_of_externals(self) -> _Stored:
        """`g.db = …`, `app.state.pool = …`: by the type or name of the owner. Filled in two steps, owners first."""
        found: _Stored = {}
        for scope in self.tree.scopes():
            for name, targets in scope.attributes.items():
                for target, binding in targets:
                    for owner in self.of(target.value, scope) if not self.is_own(target.value, scope) else ():
                        if isinstance(owner, External | Made):
                            key = (owner.name if isinstance(owner, External) else owner.type, name)
                            found.setdefault(key, []).append((binding, scope))
        self._once.forget()
        return found

    def is_own(self, node: ast.expr, scope: Scope) -> bool:
        """Whether it is what a method calls self."""
        first = next(iter(scope.parameters()), None)
        return isinstance(node, ast.Name) and first is not None and node.id == first.arg and self._is_self(first, scope)

    @staticmethod
    def _union(parts: Iterable[Values]) -> Values:
        return frozenset(value for part in parts for value in part)


def _whatever_class(values: Values) -> Values:
    """Methods alone, where it makes no difference of which class their instances are."""
    return frozenset(Bound(value.scope) if isinstance(value, Bound) else value for value in values)


def _made(type_name: str, origin: Origin | None) -> Made:
    """Of a library that nobody asks about, one value for all that it makes: chains of its calls would have no end."""
    return Made(type_name, origin) if apis.is_followed(type_name) else Made(type_name.partition(".")[0])


def _same(name: str) -> str:
    head, _, tail = name.rpartition(".")
    return apis.SAME.get(name) or (f"{apis.SAME[head]}.{tail}" if head in apis.SAME else name)


def _is_cursor(value: Value) -> bool:
    return isinstance(value, Made) and apis.kind_of(value.type) == apis.CURSOR
