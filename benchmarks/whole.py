"""The limit of a whole migration, as a program: `python -m benchmarks.whole EXPORT URL CONNECTIONS`

Ready files of all tables are written through by psycopg on so many connections, then the same indexes are built, keys
attached and foreign keys validated on as many, each with the memory that Migrator would choose. Nothing is read from
SQLite, converted, encoded, analysed or compared; only an order of work that overlaps more could be faster. Prints what
it took as JSON, by phase.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import psycopg
from psycopg import sql

from benchmarks.limit import CHUNK_BYTES
from migrator.archive.manifest import Manifest, read_manifest
from migrator.core.blueprint import Blueprint, Phase, Statement
from migrator.core.ddl import build
from migrator.core.plan_file import from_toml
from migrator.target.memory import choose_build_memory


class Limit:
    """Work on a fixed number of connections, each of which takes the next piece when it is free."""

    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._connections = connections
        self._local = local()
        self._threads = ThreadPoolExecutor(connections)

    @property
    def connection(self) -> psycopg.Connection:
        if not hasattr(self._local, "connection"):
            connection = psycopg.connect(self._url, autocommit=True)
            memory = choose_build_memory(connection, self._connections)
            connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", (f"{memory}kB",))
            self._local.connection = connection
        return self._local.connection  # type: ignore[no-any-return]

    def all(self, work: Callable[[object], None], pieces: Iterable[object]) -> float:
        """Seconds until all are done."""
        started = time.monotonic()
        for _ in self._threads.map(work, pieces):
            pass
        return time.monotonic() - started

    def execute(self, statement: object) -> None:
        self.connection.execute(str(statement))

    def copy(self, piece: object) -> None:
        path, table = piece  # type: ignore[misc]  # as `pieces` below
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table))
        with path.open("rb") as ready, self.connection.cursor().copy(statement) as copy:
            while chunk := ready.read(CHUNK_BYTES):
                copy.write(chunk)


def load_ready_files(export: Path, url: str, connections: int) -> dict[str, float]:
    manifest = read_manifest(export)
    blueprint = _blueprint(export, manifest)
    limit = Limit(url, connections)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in blueprint.phase(Phase.TABLE):
            connection.execute(statement.sql)
        files = sorted(manifest.files(), key=lambda file: file.bytes, reverse=True)
        seconds = {"copy": limit.all(limit.copy, [(export / file.name, file.table) for file in files])}
        seconds["indexes"] = limit.all(limit.execute, _sql(blueprint.phase(Phase.INDEX)))
        for statement in blueprint.phase(Phase.KEY, Phase.FOREIGN_KEY):
            connection.execute(statement.sql)
        validations = [item.validate for item in blueprint.phase(Phase.FOREIGN_KEY) if item.validate]
        seconds["keys"] = limit.all(limit.execute, validations)
    return seconds | {"seconds": sum(seconds.values())}


def _blueprint(export: Path, manifest: Manifest) -> Blueprint:
    return build(manifest.schema, from_toml((export / "plan.toml").read_text(encoding="utf-8"), manifest.schema))


def _sql(statements: Iterable[Statement]) -> list[str]:
    return [statement.sql for statement in statements]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(load_ready_files(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
