"""Generated rows for the two shops, Chinook and Django, in the order of their foreign keys."""

from __future__ import annotations

import sqlite3
from random import Random

from .made_up import (
    COMPANIES,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    cents,
    day,
    django_moment,
    hex_digits,
    insert,
    maybe,
    sentence,
    to_json,
    uuid4,
)


def chinook(db: sqlite3.Connection, random: Random, scale: int) -> None:
    artists, albums, tracks = (
        range(100, 100 + 150 * scale),
        range(100, 100 + 300 * scale),
        range(100, 100 + 2500 * scale),
    )
    customers, invoices = range(100, 100 + 60 * scale), range(100, 100 + 400 * scale)
    insert(db, "[Artist]", ((artist, f"{random.choice(LAST_NAMES)} {sentence(random, 2)}") for artist in artists))
    insert(db, "[Album]", ((album, f"{sentence(random, 3)} [{album}]", random.choice(artists)) for album in albums))
    prices = {track: random.choice((0.99, 0.99, 0.99, 1.99, 1.0)) for track in tracks}
    insert(
        db,
        "[Track]",
        (
            (
                track,
                sentence(random, 4),
                maybe(random, random.choice(albums), 0.02),
                random.randint(1, 3),
                maybe(random, random.randint(1, 6), 0.1),
                random.choice((None, "", f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}")),
                random.randrange(60_000, 5_000_000),
                maybe(random, random.randrange(1 << 33), 0.1),
                prices[track],
            )
            for track in tracks
        ),
    )
    insert(
        db,
        "[Customer]",
        (
            (
                customer,
                random.choice(FIRST_NAMES),
                random.choice(LAST_NAMES),
                random.choice((None, "", *COMPANIES)),
                f"Straße {customer}",
                "Köln",
                None,
                random.choice(COUNTRIES),
                f"{random.randrange(100_000):05d}",
                maybe(random, f"+49 221 555{customer:04d}"),
                f"kunde{customer}@chinook.example",
                maybe(random, random.choice((3, 4)), 0.1),
            )
            for customer in customers
        ),
    )
    bills, lines = [], []
    for invoice in invoices:
        bought = [(track, random.randint(1, 3)) for track in random.sample(tracks, random.randint(1, 9))]
        lines += [(invoice, track, prices[track], quantity) for track, quantity in bought]
        total = round(sum(prices[track] * quantity for track, quantity in bought), 2)
        when = f"{day(random.randrange(900))} 00:00:00"
        bills.append(
            (invoice, random.choice(customers), when, maybe(random, f"Weg {invoice}"), "Köln", "Germany", total)
        )
    insert(db, "[Invoice]", bills)
    insert(db, "[InvoiceLine] ([InvoiceId], [TrackId], [UnitPrice], [Quantity])", lines)
    insert(db, "[Playlist]", ((number, sentence(random, 2)) for number in range(10, 20)))
    insert(
        db,
        "[PlaylistTrack]",
        ((playlist, track) for playlist in range(10, 20) for track in random.sample(tracks, 150 * scale)),
    )


def django(db: sqlite3.Connection, random: Random, scale: int) -> None:
    users = range(100, 100 + 300 * scale)
    insert(
        db,
        '"auth_user"',
        (
            (
                user,
                f"pbkdf2_sha256$870000${hex_digits(random, 22)}${hex_digits(random, 44)}",
                maybe(random, django_moment(random)),
                0,
                f"{random.choice(FIRST_NAMES)}.{user}",
                random.choice(("", *LAST_NAMES)),
                random.choice(("", f"user{user}@example.com")),
                int(random.random() < 0.05),
                int(random.random() < 0.9),
                django_moment(random),
                random.choice(("", *FIRST_NAMES)),
            )
            for user in users
        ),
    )
    insert(db, '"auth_user_groups" ("user_id", "group_id")', ((user, random.randint(1, 3)) for user in users[::4]))
    insert(
        db,
        '"django_admin_log" ("object_id", "object_repr", "action_flag", "change_message", "content_type_id", '
        '"user_id", "action_time")',
        (
            (
                str(random.randrange(1000)),
                sentence(random, 3),
                flag,
                to_json([{("added", "changed", "deleted")[flag - 1]: {}}]),
                random.randint(1, 11),
                random.choice((1, 2)),
                django_moment(random),
            )
            for flag in (random.randint(1, 3) for _ in range(600 * scale))
        ),
    )
    insert(
        db,
        '"django_session"',
        ((hex_digits(random, 32), f".eJx{hex_digits(random, 120)}", django_moment(random)) for _ in range(300 * scale)),
    )
    _django_shop(db, random, scale, users)


def _django_shop(db: sqlite3.Connection, random: Random, scale: int, users: range) -> None:
    customers = [uuid4(random).hex for _ in range(400 * scale)]
    insert(
        db,
        '"shop_customer"',
        (
            (
                customer,
                f"{random.choice(('Kunde', 'gast'))}{number}@Example.com",
                maybe(random, day(-random.randrange(20_000))),
                random.choice((None, 0, 1)),
                random.choice((None, f"203.0.113.{number % 256}", f"2001:db8::{number % 65536:x}")),
                to_json({"theme": "dark", "size": random.random(), "tags": [sentence(random, 1)]}),
                users[number // 2] if number % 2 == 0 else None,
            )
            for number, customer in enumerate(customers)
        ),
    )
    products = {product: cents(random, 200) for product in range(100, 100 + 500 * scale)}
    insert(
        db,
        '"shop_product"',
        (
            (
                product,
                f"SKU-{product:08d}",
                sentence(random, 3),
                random.choice(("", sentence(random, 20))),
                f"{price:.2f}",
                maybe(random, random.random() * 10),
                random.randrange(500),
                maybe(random, random.randbytes(random.randrange(200)), 0.7),
                maybe(random, f"{random.randrange(24):02d}:30:00"),
                maybe(random, random.randrange(10**12)),
                maybe(random, to_json({"n": product, "labels": [sentence(random, 1)]})),
                random.randint(1, 4),
            )
            for product, price in products.items()
        ),
    )
    orders, lines = [], []
    for number in range(1200 * scale):
        order = uuid4(random).hex
        bought = random.sample(list(products), random.randrange(4))
        status = "cart" if number < len(customers) else random.choice(("paid", "shipped", "cancelled"))
        total = f"{sum(products[product] for product in bought):.2f}"
        note = random.choice(("", "", sentence(random)))
        orders.append(
            (order, 1000 + number, status, django_moment(random), total, note, customers[number % len(customers)])
        )
        lines += [(place, 1, f"{products[product]:.2f}", order, product) for place, product in enumerate(bought)]
    insert(db, '"shop_order"', orders)
    insert(db, '"shop_orderline" ("order", "quantity", "price", "order_id", "product_id")', lines)
