"""What all connections of a process to the same tables share: what is known of them, and the translations."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from migrator.adapter.known import Known
from migrator.adapter.shadow import Shadow

if TYPE_CHECKING:
    from migrator.adapter.translation import Translated

MOST_TRANSLATIONS = 1_000
_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")


class Recent(Generic[_Key, _Item]):
    """The items that were asked for last; for several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[_Key, _Item] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key) -> _Item | None:
        with self._lock:
            item = self._items.get(key)
            if item is not None:
                self._items.move_to_end(key)
            return item

    def put(self, key: _Key, item: _Item) -> None:
        with self._lock:
            self._items[key] = item
            while len(self._items) > self._most:
                self._items.popitem(last=False)


@dataclass(frozen=True, eq=False)
class Tables:
    """One state of them."""

    known: Known
    shadow: Shadow
    translations: Recent[str | tuple[object, ...], Translated] = field(
        default_factory=lambda: Recent(MOST_TRANSLATIONS)
    )


@dataclass
class Shared:
    """`mark` is the state of the catalog that the tables were read in."""

    tables: Tables
    mark: str


def tables_of(known: Known) -> Tables:
    return Tables(known, Shadow(known.definitions))
