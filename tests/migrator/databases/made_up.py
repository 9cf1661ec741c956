"""Invented values for the generators. Everything comes from the Random that is passed in."""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

Row = Sequence[object]

FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Élodie",
    "Fatıma",
    "Gül",
    "Håkon",
    "Inês",
    "Jürgen",
    "Łukasz",
    "Noor",
)
LAST_NAMES = (
    "Ångström",
    "de Boer",
    "Fernández",
    "Groß",
    "Ito",
    "Kowalski",
    "Müller",
    "O'Neill",
    "Öztürk",
    "Smith",
    "Weiß",
)
COMPANIES = ("Acme", "Bäckerei Huber", "Café Nord", "Dāta & Co", "Été SARL", "Fjörd AS", "Grün GmbH", "Robots 🤖")
WORDS = ("alpha", "Brücke", "cloud", "daily", "Größe", "naïve", "offer", "plain", "rocket 🚀", "señal", "über", "日本")
COUNTRIES = ("AT", "BR", "CH", "DE", "ES", "FR", "ID", "IN", "JP", "US")
START = datetime(2025, 1, 1, tzinfo=UTC)


def insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert whole rows, or those columns that `table` lists in parentheses behind its name."""
    rows = list(rows)
    db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def day(number: int) -> str:
    return (START + timedelta(days=number)).strftime("%Y-%m-%d")


def second(random: random.Random, days: int = 300) -> str:
    """SQLite's CURRENT_TIMESTAMP: 2025-10-18 09:30:00."""
    return (START + timedelta(seconds=random.randrange(days * 86400))).strftime("%Y-%m-%d %H:%M:%S")


def microsecond(random: random.Random, days: int = 300) -> str:
    """SQLAlchemy's DateTime: 2025-10-18 09:30:00.000000, always six digits."""
    moment = START + timedelta(microseconds=random.randrange(days * 86_400_000_000))
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def django_moment(random: random.Random, days: int = 300) -> str:
    """Django's DateTimeField: str(datetime), which has no fraction when the microseconds are zero."""
    return second(random, days) if random.random() < 0.2 else microsecond(random, days)


def epoch(random: random.Random, days: int = 300) -> float:
    """time.time(): seconds with a fraction."""
    return START.timestamp() + random.randrange(days * 86_400_000_000) / 1_000_000


def sentence(random: random.Random, words: int = 6) -> str:
    return " ".join(random.choice(WORDS) for _ in range(words))


def maybe(random: random.Random, value: object, missing: float = 0.2) -> object:
    return None if random.random() < missing else value


def hex_digits(random: random.Random, length: int) -> str:
    return f"{random.getrandbits(4 * length):0{length}x}"


def uuid4(random: random.Random) -> uuid.UUID:
    return uuid.UUID(int=random.getrandbits(128), version=4)


def to_json(value: object, *, compact: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else None)


def cents(random: random.Random, most: int) -> float:
    """An amount with two decimals, below `most`."""
    return random.randrange(most * 100) / 100
