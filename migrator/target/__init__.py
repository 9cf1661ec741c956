"""The PostgreSQL edge: the only room that imports psycopg."""
