"""A network that misbehaves: a TCP proxy before a server, which delays, resets or swallows what goes through it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from .servers import Server

PIECE_BYTES = 65_536


class Proxy:
    """Listens on a port of this computer and hands everything on to the server's socket.

    `delay_s` holds up every piece of 64 kB; after `reset_after` bytes of the client all connections are reset, after
    `silent_after` nothing is handed on any more in either direction, while bytes are still taken. While it is `deaf`
    none are taken either, as from a computer whose plug was pulled.
    """

    def __init__(self, upstream: Path) -> None:
        self.delay_s = 0.0
        self.reset_after: int | None = None
        self.silent_after: int | None = None
        self.deaf = False
        self.bytes = 0
        self.struck_at_s = 0.0
        self._upstream = upstream
        self._closed = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, database: str) -> str:
        """The same database through this network, without TLS."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(database)}?sslmode=disable"

    def heal(self) -> None:
        """From now on it is a good network; connections that were silent are gone."""
        self.delay_s, self.reset_after, self.silent_after = 0.0, None, None
        self.deaf = False
        self._reset()

    def silence(self) -> None:
        """From now on nothing arrives any more, on old connections or new ones."""
        self.silent_after = self.bytes
        self.struck_at_s = time.monotonic()

    def close(self) -> None:
        self._closed = True
        self._listener.close()
        self._reset()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._upstream))
                except OSError:
                    client.close()
                    continue
                self._pairs.append((client, server))
                threading.Thread(target=self._carry, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                self.bytes += len(piece) if counted else 0
                time.sleep(self.delay_s)
                while self.deaf and not self._closed:
                    time.sleep(0.05)
                if self.reset_after is not None and self.bytes > self.reset_after:
                    self.struck_at_s = self.struck_at_s or time.monotonic()
                    self._reset()
                    return
                if self.silent_after is not None and self.bytes > self.silent_after:
                    self.struck_at_s = self.struck_at_s or time.monotonic()
                    continue
                target.sendall(piece)
        if self.silent_after is None:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        """An end that does not linger says RST and not FIN. The server hears of it by its own socket's end."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RD)
                end.close()


@contextmanager
def proxied(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.folder / ".s.PGSQL.5432")
    try:
        yield proxy
    finally:
        proxy.close()
