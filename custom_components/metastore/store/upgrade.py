"""The schema's revisions, run by Alembic. Everything here blocks: call it in a worker thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from ..core.errors import NewerDatabase, StoreError, StoreUnavailable
from .dialects import looking_engine, said, sync_engine
from .schema import metadata

REVISION_TABLE = "metastore_revision"
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: URL, revision: str = "head") -> None:
    """Bring the database to that revision; makes it where there is none.

    Raises NewerDatabase and StoreError before anything is touched, StoreUnavailable where it cannot be opened.
    """
    if url.drivername == "sqlite":
        _make_folder(Path(str(url.database)).parent)
        if Path(str(url.database)).exists():
            with _opened(looking_engine(url)) as connection:
                _check(connection, ScriptDirectory.from_config(configuration(connection)))
    with _opened(sync_engine(url)) as connection:
        config = configuration(connection)
        _check(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, revision)


@contextmanager
def _opened(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The database cannot be opened: {said(error)}") from error
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes |= {"connection": connection, "version_table": REVISION_TABLE}
    return config


def _check(connection: Connection, scripts: ScriptDirectory) -> None:
    found = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE}).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if newer := [revision for revision in found if revision not in known]:
        raise NewerDatabase(
            f"The database has the revision {newer[0]}, which this version of Metastore does not know. "
            "Update Metastore, or choose another database."
        )
    if found:
        return
    present = set(inspect(connection).get_table_names())
    taken = present if connection.dialect.name == "sqlite" else present & set(metadata.tables)
    if taken - {REVISION_TABLE}:
        listed = ", ".join(sorted(taken - {REVISION_TABLE})[:3])
        raise StoreError(f"The database belongs to something else: it has the tables {listed}. Choose another one.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {folder} cannot be made: {error.strerror}") from error
