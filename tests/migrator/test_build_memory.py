"""The memory in which indexes are sorted is a share of what the server's machine has free."""

from __future__ import annotations

import psycopg
from psycopg import sql

from migrator.core.memory import LEAST_KIB, MOST_KIB
from migrator.target.memory import choose_build_memory


def test_the_server_of_this_machine(each_database: str) -> None:
    with psycopg.connect(each_database, autocommit=True) as connection:
        one, four = choose_build_memory(connection, 1), choose_build_memory(connection, 4)
    assert LEAST_KIB <= four <= one <= MOST_KIB


def test_a_role_that_may_read_no_file_sees_the_same(database: str) -> None:
    """It looks at the server's process, which runs on this machine; the difference is what was used meanwhile."""
    with psycopg.connect(database, autocommit=True) as connection:
        told = choose_build_memory(connection, 8)
        name = sql.Identifier("plain_" + connection.info.dbname)
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        connection.execute(sql.SQL("SET ROLE {}").format(name))
        seen = choose_build_memory(connection, 8)
        connection.execute("RESET ROLE")
        connection.execute(sql.SQL("DROP ROLE {}").format(name))
    assert abs(seen - told) < max(seen, told) / 2
