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
    store: Store
    users: int = 1


@dataclass
class Stores:
    """Many homes may share one database, and a database has one writer. `offload` runs what blocks in a thread."""

    offload: Callable[..., Awaitable[Any]]
    clock: Callable[[], float]
    _open: dict[URL, _Shared] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self, url: URL) -> Store:
        """The store of that database, at the present schema. Raises StoreError. Give it back with `release`."""
        async with self._lock:
            if shared := self._open.get(url):
                shared.users += 1
                return shared.store
            await self.offload(upgrade, url)
            self._open[url] = _Shared(Store(url, self.clock))
            return self._open[url].store

    async def release(self, store: Store) -> None:
        async with self._lock:
            shared = self._open[store.url]
            shared.users -= 1
            if not shared.users:
                del self._open[store.url]
                await store.close()
