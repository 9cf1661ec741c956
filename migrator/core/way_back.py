"""PostgreSQL → SQLite: which table of the server fills which table of the file, and how each value gets there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from migrator.core.convert import Conversion, Inverse, Unfit
from migrator.core.findings import Finding
from migrator.core.keeping import is_kept, keeper
from migrator.core.model import Affinity
from migrator.core.original import Original
from migrator.core.plan import ColumnPlan
from migrator.core.values import Unreadable, Value, show

Carry = Callable[[object], object]


@dataclass(frozen=True)
class ColumnBack:
    """`target` is the column in PostgreSQL, `name` the one in the file, `read` the SQL around the former.

    `type_name` is PostgreSQL's, as in core/pgtypes. `plan` says which conversion is to be inverted; None where SQLite's
    value is the one that PostgreSQL returns.
    """

    target: str
    name: str
    type_name: str
    affinity: Affinity
    read: str = "{}"
    plan: ColumnPlan | None = None

    def __getstate__(self) -> dict[str, object]:
        """Functions cannot be pickled; every process makes its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("inverse", "carry")}

    @cached_property
    def inverse(self) -> Inverse | None:
        """SQLite's value of PostgreSQL's; None where they are the same."""
        if self.plan is None:
            return None
        conversion = self.plan.conversion()
        if conversion.canonical is not None:
            # What jsonb and text[] are compared by is no JSON; jsonb's own text is.
            return _NORMALISED.get(self.type_name)
        return _exact(conversion) if conversion.inverse else None

    @cached_property
    def carry(self) -> Carry | None:
        """The value for SQLite; raises Unfit for one that the file cannot hold as it is. None where all are kept."""
        if self.inverse is None and is_kept(self.type_name, self.affinity):
            return None
        check, inverse = keeper(self.affinity), self.inverse

        def carry(value: object) -> object:
            if inverse is not None and value is not None:
                value = invert(inverse, value)
            check(value)
            return value

        return carry


def invert(inverse: Inverse, value: object) -> object:
    """Raises Unfit for a value that the inverse has no word for."""
    if isinstance(value, Unreadable):
        raise Unfit("a time that is infinite, or before the year 1 or after 9999")
    try:
        return inverse(value)
    except Unfit:
        raise
    except (ValueError, OverflowError, AttributeError, TypeError, AssertionError) as error:
        raise Unfit(f"it has no counterpart in SQLite: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class TableBack:
    """`nulls` are columns of the file that stay empty; `key` names the columns that tell a person which row.

    `sequence` is PostgreSQL's column whose sequence AUTOINCREMENT goes on from. `only` leaves tables that inherit from
    this one to themselves.
    """

    schema: str
    target: str
    name: str
    columns: tuple[ColumnBack, ...]
    nulls: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    sequence: str | None = None
    only: bool = False

    def key_of(self, row: tuple[object, ...]) -> dict[str, object]:
        """The key for people, of a row in PostgreSQL's values; the whole row where there is no key."""
        shown = self.key or tuple(column.name for column in self.columns[:8])
        return {c.name: _shown(value) for c, value in zip(self.columns, row, strict=True) if c.name in shown}


def _shown(value: object) -> object:
    """In JSON's words, which have neither bytes nor infinities."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return f"x{value.hex()}"[:200] if isinstance(value, bytes) else str(value)[:200]


@dataclass(frozen=True)
class WayBack:
    """All that will be in the file. `run` is the folder of the run whose plan is inverted; None without one."""

    original: Original
    tables: tuple[TableBack, ...]
    findings: tuple[Finding, ...] = ()
    run: Path | None = field(default=None)


def column_back(plan: ColumnPlan) -> ColumnBack:
    """A run's column, the other way round."""
    return ColumnBack(plan.target, plan.source, plan.type.name, plan.affinity, plan.conversion().read, plan)


_NORMALISED: dict[str, Inverse] = {"text[]": lambda value: json.dumps(value, ensure_ascii=False)}


def _exact(conversion: Conversion) -> Inverse:
    """The inverse, where it says all of the value: what was written since may have a fraction, or more digits."""

    def inverse(value: object) -> Value:
        assert conversion.inverse
        result = conversion.inverse(value)
        if conversion.forward(result) != value:
            raise Unfit(f"{show(result)} would not say all of it")
        return result

    return inverse
