"""Metastore's mirror beside the limit: `scripts/bench mirror`.

The simulated home runs in another process. The limit of a cold mirror is sqlite3's executemany with the same rows into
the same tables and indexes, history included, plus what it takes to parse the same messages. A stall is the time for
which the event loop did not come back to a task that wants to run every millisecond.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from custom_components.metastore.core.diff import Change
from custom_components.metastore.core.entries import ENTITIES
from custom_components.metastore.mirror import Environment, Mirror
from custom_components.metastore.source import Access, Connection, connect
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.schema import metadata
from custom_components.metastore.store.shared import Stores
from custom_components.metastore.store.store import Span, Store, Sync

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance-mirror.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES = (1_000, 10_000, 50_000)
HISTORY_ROWS = 1_000_000


@dataclass
class Bench:
    """One mirror before one simulated home, and what was seen of it."""

    store: Store
    mirror: Mirror
    session: aiohttp.ClientSession
    access: Access
    file: Path
    latencies_s: list[float] = field(default_factory=list)
    applied_at: float = 0.0

    async def ask(self, command: str, **arguments: Any) -> Any:
        async with connect(self.session, self.access) as connection:
            return await connection.call(command, **arguments)


@contextmanager
def simulated_home(devices: int, entities: int) -> Iterator[dict[str, Any]]:
    program = [sys.executable, "-m", "metastore.simulated_home"]
    command = [*program, "--devices", str(devices), "--entities", str(entities)]
    with subprocess.Popen(command, cwd=ROOT / "tests", stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@asynccontextmanager
async def mirrored(home: dict[str, Any], folder: Path) -> AsyncIterator[Bench]:
    stores = Stores(asyncio.to_thread, time.time)
    file = folder / f"mirror-{random.randrange(10**9)}.db"  # noqa: S311
    store = await stores.acquire(database_url(f"sqlite:///{file}"))
    access = Access(home["url"], home["token"])
    async with aiohttp.ClientSession() as session:

        @asynccontextmanager
        async def connected() -> AsyncIterator[Connection]:
            async with connect(session, access) as connection:
                yield connection

        mirror = Mirror(
            Environment(connected, "home", store, b"key", 300.0, time.time, random.random, asyncio.to_thread)
        )
        bench = Bench(store, mirror, session, access, file)
        bench.store.apply = _watched(bench, store.apply)  # type: ignore[method-assign]
        try:
            yield bench
        finally:
            await stores.release(store)


def _watched(bench: Bench, apply: Callable[..., Awaitable[Sync]]) -> Callable[..., Awaitable[Sync]]:
    """`apply`, after which the age of every written change is known: the home's clock is ours."""

    async def watched(home_id: str, what: list[Change], span: Span) -> Sync:
        sync = await apply(home_id, what, span)
        bench.applied_at = time.time()
        bench.latencies_s += [bench.applied_at - (getattr(change.entry, "modified_at", None) or 0) for change in what]
        return sync

    return watched


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[float]:
    """The mirror at work; gives the seconds from its start to the first comparison's end."""
    began = time.monotonic()
    task = asyncio.create_task(bench.mirror.run())
    try:
        while not bench.mirror.status.connected:
            if task.done():
                raise SystemExit(f"the mirror gave up: {task.result()}")
            await asyncio.sleep(0.001)
        yield time.monotonic() - began
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def stalls() -> AsyncIterator[list[float]]:
    """The longest stall so far is the list's only item."""
    longest = [0.0]

    async def tick() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest[0] = max(longest[0], time.monotonic() - before - 0.001)

    task = asyncio.create_task(tick())
    try:
        yield longest
    finally:
        task.cancel()


# -- what is measured --------------------------------------------------------------------------------------------------


async def cold(entities: int, folder: Path, rounds: int) -> dict[str, float]:
    with simulated_home(entities // 5, entities) as home:
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            async with mirrored(home, folder) as bench, stalls() as longest:
                async with running(bench) as cold_s:
                    stalled_cold, longest[0] = longest[0], 0.0
                    began = time.monotonic()
                    sync = await bench.mirror.sync()
                    if sync.created or sync.updated or sync.removed:
                        raise SystemExit(f"the mirror is not exact: {sync}")
                    unchanged_s, stalled_sync = time.monotonic() - began, longest[0]
                parse_s = await _parse(bench)
            raw_s = _raw(bench.file, folder)
            for name, value in {
                "cold_s": cold_s,
                "raw_s": raw_s,
                "parse_s": parse_s,
                "times_raw": (cold_s - parse_s) / raw_s,
                "unchanged_s": unchanged_s,
                "stall_cold_ms": stalled_cold * 1000,
                "stall_unchanged_ms": stalled_sync * 1000,
            }.items():
                found.setdefault(name, []).append(value)
            bench.file.unlink()
    return {name: statistics.median(values) for name, values in found.items()}


async def _parse(bench: Bench) -> float:
    """Seconds for the JSON of the listings and the extended entities, as the mirror has to parse it."""
    async with connect(bench.session, bench.access) as connection:
        kinds = ("config/device_registry/list", "config/entity_registry/list")
        texts = [orjson.dumps(await connection.call(kind)) for kind in kinds]
        addresses = [row["entity_id"] for row in orjson.loads(texts[-1])]
        for start in range(0, len(addresses), 500):
            part = await connection.call(
                "config/entity_registry/get_entries", entity_ids=addresses[start : start + 500]
            )
            texts.append(orjson.dumps(part))
    began = time.monotonic()
    for text in texts:
        orjson.loads(text)
    return time.monotonic() - began


def _raw(file: Path, folder: Path) -> float:
    """Seconds for the same rows with executemany, one transaction, into the same tables and indexes."""
    copy = folder / "raw.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode = WAL")
        target.execute("PRAGMA synchronous = NORMAL")
        for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC"):
            target.execute(sql)
        rows = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in metadata.tables}
        began = time.monotonic()
        target.execute("BEGIN")
        for name, content in rows.items():
            if content:
                marks = ", ".join("?" * len(content[0]))
                target.executemany(f"INSERT INTO {name} VALUES ({marks})", content)
        target.execute("COMMIT")
        seconds = time.monotonic() - began
    for path in folder.glob("raw.db*"):
        path.unlink()
    return seconds


def resident_mb() -> float:
    """Memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**20


async def live(
    kind: str, devices: int, entities: int, folder: Path, seconds: float, per_second: int
) -> dict[str, float]:
    """Change → row while the home changes at that rate; and whether the end is exact."""
    with simulated_home(devices, entities) as home:
        async with mirrored(home, folder) as bench, running(bench), stalls() as longest:
            bench.latencies_s.clear()
            longest[0], before_mb, most_mb = 0.0, resident_mb(), 0.0
            cpu, began = time.process_time(), time.monotonic()
            await bench.ask("simulated_home/change", per_second=per_second, kind=kind, seconds=seconds)
            for _ in range(int(seconds)):
                await asyncio.sleep(1.0)
                most_mb = max(most_mb, resident_mb())
            used = (time.process_time() - cpu) / (time.monotonic() - began)
            while (await bench.ask("simulated_home/counts"))["generating"]:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
            ended, stalled = time.time(), longest[0]
            await asyncio.sleep(4.0)
            settled = max(0.0, bench.applied_at - ended)
            sync = await bench.mirror.sync()
            if sync.created or sync.updated or sync.removed:
                raise SystemExit(f"the mirror is not exact: {sync}")
            ages = sorted(bench.latencies_s)
            counts = await bench.ask("simulated_home/counts")
        bench.file.unlink()
    return {
        "changes": float(len(ages)),
        "told": float(counts["changes"]),
        "p50_ms": ages[len(ages) // 2] * 1000,
        "p99_ms": ages[int(len(ages) * 0.99)] * 1000,
        "cpu": used,
        "stall_ms": stalled * 1000,
        "settled_s": settled,
        "per_second": counts["changes"] / seconds,
        "grown_mb": most_mb - before_mb,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def as_of(folder: Path) -> dict[str, float]:
    """One object at some time, with a million rows of history."""
    with simulated_home(2_000, 10_000) as home:
        async with mirrored(home, folder) as bench:
            async with running(bench):
                pass
            with closing(sqlite3.connect(bench.file)) as db, db:
                keys = [key for (key,) in db.execute("SELECT id FROM entities")]
                fields = orjson.dumps({"name": ["old", "new"], "modified_at": [1.0, 2.0]}).decode()
                now = time.time()
                rows = (
                    (
                        "home",
                        1_000_000 + number,
                        1,
                        now + number / 1000,
                        "entities",
                        keys[number % len(keys)],
                        "updated",
                        fields,
                    )
                    for number in range(HISTORY_ROWS)
                )
                db.executemany("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            took = []
            for number in range(50):
                began = time.monotonic()
                await bench.store.as_of("home", ENTITIES, now + HISTORY_ROWS / 1000 * random.random(), key=keys[number])  # noqa: S311
                took.append(time.monotonic() - began)
        bench.file.unlink()
    return {"median_ms": statistics.median(took) * 1000, "longest_ms": max(took) * 1000}


# -- the report --------------------------------------------------------------------------------------------------------


def _verdict(name: str, value: float, most: float, unit: str) -> str:
    return f"- {name}: {value:.3g} {unit}, target ≤ {most:g} {unit}: {'**reached**' if value <= most else '**missed**'}"


async def measure(rounds: int, storm_s: float) -> list[str]:
    lines = [
        f"- {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC. Medians of {rounds} rounds; the rest single runs.",
        "",
        "| entities | cold mirror s | raw executemany s | parsing s | (cold − parsing) ÷ raw | no-change sync s "
        "| longest stall cold / no-change ms |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = {}
        for size in SIZES:
            sizes[size] = one = await cold(size, folder, rounds)
            lines.append(
                f"| {size:,} | {one['cold_s']:.2f} | {one['raw_s']:.3f} | {one['parse_s']:.3f} "
                f"| {one['times_raw']:.1f} "
                f"| {one['unchanged_s']:.2f} | {one['stall_cold_ms']:.0f} / {one['stall_unchanged_ms']:.0f} |"
            )
            _say(lines[-1])
        entity = await live("entity", 2_000, 10_000, folder, 20, 100)
        _say(str(entity))
        device = await live("device", 10_000, 20_000, folder, 20, 20)
        _say(str(device))
        storm = await live("entity", 2_000, 10_000, folder, storm_s, 5_000)
        _say(str(storm))
        history = await as_of(folder)
        _say(str(history))
    largest = sizes[SIZES[-1]]
    return [
        *lines,
        "",
        _verdict("Cold mirror of 50,000 entities", largest["cold_s"], 4, "s"),
        _verdict("Cold mirror of 50,000 entities without parsing, times raw", largest["times_raw"], 3, "×"),
        _verdict(
            "Longest stall while 50,000 entities are listed, cold or not",
            max(largest["stall_cold_ms"], largest["stall_unchanged_ms"]),
            400,
            "ms",
        ),
        _verdict("Entity change → row, p99 at 100 changes/s", entity["p99_ms"], 100, "ms"),
        _verdict("Longest stall at 100 entity changes/s", entity["stall_ms"], 10, "ms"),
        _verdict("Device change → row, p99 at 10,000 devices", device["p99_ms"], 1_500, "ms"),
        _verdict("CPU while devices change", device["cpu"] * 100, 40, "% of a core"),
        _verdict(f"Exact after {storm['told']:,.0f} changes in {storm_s:g} s", storm["settled_s"], 10, "s"),
        f"- That was {storm['per_second']:,.0f} changes/s; the process grew by {storm['grown_mb']:.0f} MB at most.",
        _verdict("One object as of some time, a million rows of history, median", history["median_ms"], 5, "ms"),
        f"- Peak memory of the process over all of this: {storm['peak_mb']:.0f} MB.",
    ]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench mirror")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--storm-seconds", type=float, default=60.0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = "\n".join(asyncio.run(measure(options.repeat, options.storm_seconds)))
    sys.stdout.write(text + "\n")
    if options.write:
        document = DOCUMENT.read_text(encoding="utf-8")
        before, _, rest = document.partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
