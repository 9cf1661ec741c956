"""One Store per database in this process, for as long as somebody uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL

from .store import Store
from .upgrade import upgrade


@dataclass
class _Shared:
    """`opening` is held while somebody opens or closes this database; another one may hang, and this one does not."""

    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    store: Store | None = None
    users: int = 0


@dataclass
class Stores:
    """Many homes may share one database, and a database has one writer. `offload` runs what blocks in a thread."""

    offload: Callable[..., Awaitable[Any]]
    clock: Callable[[], float]
    _shared: dict[URL, _Shared] = field(default_factory=dict)

    async def acquire(self, url: URL) -> Store:
        """The store of that database, at the present schema. Raises StoreError. Give it back with `release`."""
        shared = self._shared.setdefault(url, _Shared())
        async with shared.opening:
            if shared.store is None:
                await self.offload(upgrade, url)
                shared.store = Store(url, self.clock)
            shared.users += 1
            return shared.store

    async def release(self, store: Store) -> None:
        shared = self._shared[store.url]
        async with shared.opening:
            shared.users -= 1
            if not shared.users:
                shared.store = None
                await store.close()
