"""The limit: a ready file into the bare table `states`, as a program: `python -m benchmarks.limit BINARY-FILE URL`

Nothing is read from SQLite, converted or encoded; nothing that goes through psycopg can be faster. Prints what it took
as JSON: `seconds` from the moment when the connection is there until the rows are committed, `start_s` before that.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psycopg

CHUNK_BYTES = 128 * 1024


def save_binary(url: str, file: Path) -> None:
    """Write the table to `file` in PostgreSQL's binary COPY format."""
    statement = "COPY states TO STDOUT (FORMAT BINARY)"
    with psycopg.connect(url) as connection, file.open("wb") as output, connection.cursor().copy(statement) as copy:
        for chunk in copy:
            output.write(chunk)


def copy_ready_file(file: Path, url: str) -> dict[str, float]:
    started = time.monotonic()
    with psycopg.connect(url) as connection, file.open("rb") as ready:
        connected = time.monotonic()
        with connection.cursor().copy("COPY states FROM STDIN (FORMAT BINARY)") as copy:
            while chunk := ready.read(CHUNK_BYTES):
                copy.write(chunk)
        connection.commit()
        return {"seconds": time.monotonic() - connected, "start_s": connected - started}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(copy_ready_file(Path(sys.argv[1]), sys.argv[2])))
