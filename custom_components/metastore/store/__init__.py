"""What Metastore remembers: the only importer of SQLAlchemy and Alembic."""
