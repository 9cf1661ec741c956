"""The SQLite edge: the only room that imports apsw."""
