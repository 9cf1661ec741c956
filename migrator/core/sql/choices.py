"""CASE, COALESCE and their like: branches that become one expression, of one kind for all rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value


def choice(conditions: list[str], results: list[Value]) -> Value:
    branches, model = unified(results)
    if model.kind is Kind.NULL:
        return v.NULL
    whens = " ".join(f"WHEN {condition} THEN {branch}" for condition, branch in zip(conditions, branches, strict=False))
    return replace(model, sql=f"(CASE {whens} ELSE {branches[-1]} END)")


def unified(values: Sequence[Value]) -> tuple[tuple[str, ...], Value]:
    """The branches of a CASE or a COALESCE, and a model of the result: its kind and what is certain about it."""
    known = {value.kind for value in values} - {Kind.NULL, Kind.PARAMETER}
    if len(known) == 1:
        values = [v.typed(value, *known) for value in values]
    for given in (value.parameter for value in values if value.parameter is not None):
        given.beside += [value for value in values if value.column]
    branches = [_branch(value) for value in values]
    kinds = {value.kind for value in branches} - {Kind.NULL}
    model = replace(_widest(kinds, branches), collation=None, affinity=None, column=False, literal=None)
    model = replace(
        model,
        nullable=any(value.nullable for value in branches),
        finite=all(value.finite for value in branches),
        never_numeric=all(value.never_numeric for value in branches),
        mixed=any(value.mixed for value in branches) or len(kinds) > 1,
        exact=_tells_its_type(branches),
        bytewise=False,
        picture=branches[0].picture if len({value.picture for value in branches}) == 1 else None,
        json=None if any(value.json is not False for value in branches) else False,
    )
    return tuple(_as_kind(value, model) for value in branches), model


def _tells_its_type(branches: Sequence[Value]) -> bool:
    """Whether PostgreSQL finds the type of literals among these: by a branch that has it, or as text if all are."""
    others = [value for value in branches if value.literal is None and value.kind is not Kind.NULL]
    if not others:
        return all(isinstance(value.literal, str) or value.kind is Kind.NULL for value in branches)
    return all(value.exact for value in others)


def _branch(value: Value) -> Value:
    v.require(value)
    if value.kind is Kind.PARAMETER:
        raise Untranslatable("a placeholder among others and nothing that says of which type it is")
    if value.parameter is not None:
        return value
    if value.explicit:
        raise Untranslatable("COLLATE outside a comparison")
    if value.kind is Kind.NULL:
        return value
    return v.number(value) if value.kind in (Kind.BOOLEAN, Kind.INTEGER) else value


def _widest(kinds: Iterable[Kind], branches: Sequence[Value]) -> Value:
    found = set(kinds)
    if found == {Kind.INTEGER, Kind.REAL}:
        _require_small([value for value in branches if value.kind is Kind.INTEGER])
        found = {Kind.REAL}
    if len(found) > 1:
        raise Untranslatable("one expression of several kinds: " + ", ".join(sorted(found)))
    return next((value for value in branches if value.kind in found), v.NULL)


def _require_small(values: Iterable[Value]) -> None:
    """An integer that becomes a double must be one that a double holds."""
    for value in values:
        if not isinstance(value.literal, int) or abs(value.literal) > v.EXACT_IN_A_DOUBLE:
            raise Untranslatable("one expression of INTEGER and REAL")


def _as_kind(value: Value, model: Value) -> str:
    if value.literal is not None and model.exact and value.kind is model.kind:
        return v.bare(value)
    if value.kind is Kind.INTEGER and model.kind is Kind.REAL:
        return f"({value.literal})::float8"
    return value.sql
