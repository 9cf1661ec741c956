"""Alembic's entry: connection and table come from store/upgrade.py, and nothing else is configured."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["version_table"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
