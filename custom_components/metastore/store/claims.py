"""One process for each home in a PostgreSQL database.

Two would take away each other's webhooks, whose hashes are under keys of their own. SQLite has no such lock; its file
lies where one installation has it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..core.errors import HomeTaken

_CLASS = 0x6D657461  # of our advisory locks: "meta"


@dataclass
class Claims:
    """A claim is an advisory lock, and lasts as long as the connection that took it."""

    engine: AsyncEngine
    _held: dict[str, AsyncConnection] = field(default_factory=dict)

    async def take(self, home_id: str) -> None:
        """Take it, or take it anew. Raises HomeTaken where another process has it, SQLAlchemyError."""
        if self.engine.dialect.name != "postgresql":
            return
        await self.let_go(home_id)
        connection = await self.engine.connect()
        locked = await connection.execute(select(func.pg_try_advisory_lock(_CLASS, func.hashtext(home_id))))
        if not locked.scalar():
            await connection.close()
            raise HomeTaken("Another process mirrors this home into this database.")
        await connection.commit()
        self._held[home_id] = connection

    async def let_go(self, home_id: str) -> None:
        """A connection that is closed unlocks by itself."""
        if connection := self._held.pop(home_id, None):
            with suppress(SQLAlchemyError):
                await connection.invalidate()
            await connection.close()

    async def let_go_of_all(self) -> None:
        for home_id in [*self._held]:
            await self.let_go(home_id)
