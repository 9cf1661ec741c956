"""Migrator: any SQLite database into PostgreSQL, exact and proven."""
