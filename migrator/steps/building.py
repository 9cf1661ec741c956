"""Post-data: indexes while other tables are still being copied, then keys, foreign keys and views."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
from psycopg import sql

from migrator.core.blueprint import Blueprint, Phase, Statement
from migrator.core.errors import DecisionNeeded, MigratorError, TargetError
from migrator.core.progress import Progress
from migrator.target.connection import (
    Target,
    connect_for_building,
    execute,
    hang_up,
    set_search_path,
    target_error,
    target_errors,
)
from migrator.target.memory import choose_build_memory

COMMENTS = 500


class Builder:
    """Runs statements in the staging schema, several at a time, each on a connection of its own.

    The first error is kept and raised by `wait`; statements that were not begun by then are not begun any more.
    """

    def __init__(self, target: Target, staging: str, connections: int, progress: Progress) -> None:
        self._target = target
        self._staging = staging
        self._progress = progress
        self._local = threading.local()
        self._opened: list[psycopg.Connection] = []
        self._connections = connections
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="build")
        self._futures: list[Future[None]] = []

    def submit(self, statements: Iterable[Statement]) -> None:
        self._futures += [self._threads.submit(self._build, statement) for statement in statements]

    def submit_validation(self, statements: Iterable[Statement]) -> None:
        """Foreign keys were added NOT VALID; validating them reads both tables and is worth doing in parallel."""
        self._futures += [self._threads.submit(self._validate, item) for item in statements if item.validate]

    def submit_analyze(self, tables: Iterable[str]) -> None:
        self._futures += [self._threads.submit(self._analyze, name) for name in tables]

    def wait(self) -> None:
        """Until all that was submitted is done. Raises the first error."""
        futures, self._futures = self._futures, []
        for future in futures:
            future.result()
            self._progress.advance()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for connection in list(self._opened):
            try:
                connection.cancel_safe(timeout=2)
            except psycopg.Error:  # nobody answers, and then nobody answers the thread that waits for the statement
                hang_up(connection)
        self._threads.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    def _connection(self) -> psycopg.Connection:
        if not hasattr(self._local, "connection"):
            connection = connect_for_building(self._target, search_path=self._staging)
            memory_kib = choose_build_memory(connection, self._connections)
            connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", (f"{memory_kib}kB",))
            self._local.connection = connection
            self._opened.append(connection)
        return self._local.connection  # type: ignore[no-any-return]

    def _build(self, statement: Statement) -> None:
        try:
            execute(self._connection(), statement.sql)
        except psycopg.Error as error:
            raise _build_error(self._target, statement, error) from None

    def _analyze(self, table: str) -> None:
        try:
            self._connection().execute(sql.SQL("ANALYZE {}").format(sql.Identifier(self._staging, table)))
        except psycopg.Error as error:
            raise target_error(self._target, f"ANALYZE of {table}", error) from None

    def _validate(self, statement: Statement) -> None:
        assert statement.validate
        try:
            execute(self._connection(), statement.validate)
        except psycopg.errors.ForeignKeyViolation as error:
            raise DecisionNeeded(
                f"The foreign key {statement.name} of {statement.table} has rows without a parent.",
                f"{error.diag.message_detail or error}",
                'Decide in the plan what becomes of them: orphans = "not-valid", "reject" or "null".',
            ) from None
        except psycopg.Error as error:
            raise _build_error(self._target, statement, error) from None


def _build_error(target: Target, statement: Statement, error: psycopg.Error) -> MigratorError:
    known = target_error(target, f"the {statement.phase} {statement.name} of {statement.table}", error)
    if isinstance(error, psycopg.errors.UniqueViolation):
        return TargetError(
            known.what,
            known.why,
            "SQLite accepted these rows (NULLs, or values that become the same): see these columns in the plan.",
        )
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return TargetError(
            known.what,
            known.why,
            "PostgreSQL indexes values up to about 2.7 kB. Leave the index behind: drop_indexes in the plan, by its "
            "name in SQLite. A table with such a primary key can be carried with a query, which chooses another.",
        )
    return known


def create_tables(
    connection: psycopg.Connection, target: Target, staging: str, statements: Sequence[Statement]
) -> None:
    """Pre-data: the bare tables. Raises TargetError naming the table."""
    set_search_path(connection, staging)
    for statement in statements:
        try:
            execute(connection, statement.sql)
        except psycopg.Error as error:
            raise target_error(target, f"the table {statement.table}", error) from None


def finish_tables(
    connection: psycopg.Connection, target: Target, staging: str, statements: Sequence[Statement]
) -> None:
    """Attach the keys, add the foreign keys NOT VALID; neither reads a row."""
    _execute_all(connection, target, staging, statements)


def finish_views(connection: psycopg.Connection, target: Target, staging: str, blueprint: Blueprint) -> None:
    """Views one by one; comments, of which there is one for each column, in a few statements."""
    _execute_all(connection, target, staging, blueprint.phase(Phase.VIEW))
    comments = [statement.sql for statement in blueprint.phase(Phase.COMMENT)]
    with target_errors(target, "the comments"):
        for start in range(0, len(comments), COMMENTS):
            execute(connection, ";".join(comments[start : start + COMMENTS]))


def rehearse_triggers(connection: psycopg.Connection, staging: str, blueprint: Blueprint) -> None:
    """Make those of tables, and roll back: they are made for good in the rename. Raises psycopg.Error."""
    tables = {*blueprint.tables}
    made = [item for item in blueprint.phase(Phase.FUNCTION, Phase.TRIGGER) if item.table in tables]
    with connection.transaction(force_rollback=True):
        set_search_path(connection, staging)
        for statement in made:
            execute(connection, statement.sql)


def _execute_all(connection: psycopg.Connection, target: Target, staging: str, statements: Sequence[Statement]) -> None:
    set_search_path(connection, staging)
    for statement in statements:
        try:
            execute(connection, statement.sql)
        except psycopg.Error as error:
            raise _build_error(target, statement, error) from None
