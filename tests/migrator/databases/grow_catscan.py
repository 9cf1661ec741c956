"""Generated rows for Cat-Scan, before and after its consolidation."""

from __future__ import annotations

import sqlite3
from random import Random

from .made_up import COMPANIES, COUNTRIES, Row, cents, day, hex_digits, insert, maybe, second, sentence, to_json

SIZES = ((300, 250), (320, 50), (728, 90), (None, None))
BILLING_IDS = ("137175951277", "137175951278", None)


def _creatives(random: Random, first: int, count: int) -> list[tuple[str, str, int | None, int | None, str | None]]:
    """(id, format, width, height, canonical size)"""
    made = []
    for number in range(first, first + count):
        width, height = random.choice(SIZES)
        size = None if width is None else f"{width}x{height}"
        made.append((f"cr-{number:05d}", random.choice(("HTML", "VIDEO", "NATIVE")), width, height, size))
    return made


def _figures(random: Random) -> tuple[int, int, int, int, int, int]:
    """(reached queries, bids, bids in auction, impressions, clicks, micros spent): each at most the one before."""
    reached = random.randrange(1_000_000)
    bids = random.randint(0, reached)
    in_auction = random.randint(0, bids)
    impressions = random.randint(0, in_auction)
    return reached, bids, in_auction, impressions, impressions // 97, impressions * random.randrange(5000)


def legacy(db: sqlite3.Connection, random: Random, scale: int) -> None:
    clusters, campaigns = [f"cl-g{n:04d}" for n in range(30 * scale)], [f"ai-g{n:04d}" for n in range(20 * scale)]
    insert(
        db,
        "clusters",
        ((c, random.choice((1, 2)), sentence(random, 2), maybe(random, ""), 0, second(random)) for c in clusters),
    )
    insert(
        db,
        "ai_campaigns",
        (
            (c, 1, sentence(random, 2), sentence(random), 1, random.random(), "gemini", "active", second(random))
            for c in campaigns
        ),
    )
    apps, publishers = range(10, 10 + 80 * scale), range(10, 10 + 60 * scale)
    insert(db, "apps", ((n, f"com.example.app{n}", maybe(random, sentence(random, 2)), "ANDROID", 0.5) for n in apps))
    insert(db, "publishers", ((n, f"pub-{n:016d}", random.choice((None, *COMPANIES))) for n in publishers))
    creatives = _creatives(random, 100, 400 * scale)
    insert(
        db,
        "creatives",
        (
            (
                id_,
                maybe(random, f"bidders/299038253/creatives/{id_}"),
                1,
                maybe(random, "299038253"),
                kind,
                random.choice(("APPROVED", "PENDING_REVIEW")),
                width,
                height,
                size,
                f"https://shop.example/{id_}?q=ä",
                random.choice((None, *COMPANIES)),
                None,
                to_json({"id": id_, "note": sentence(random)}),
                second(random),
                maybe(random, second(random)),
            )
            for id_, kind, width, height, size in creatives
        ),
    )
    for id_, *_ in creatives[::2]:  # The trigger counts.
        db.execute("UPDATE creatives SET cluster_id = ? WHERE id = ?", (random.choice(clusters), id_))
    insert(
        db,
        "campaign_creatives",
        ((random.choice(campaigns), id_, random.randrange(2), second(random)) for id_, *_ in creatives[1::2]),
    )
    insert(
        db,
        "thumbnail_status",
        ((id_, "ok", f"thumbs/{id_}.jpg", None, second(random)) for id_, kind, *_ in creatives if kind == "VIDEO"),
    )
    _performance(db, random, scale, [id_ for id_, *_ in creatives], apps, publishers)
    _summaries(db, random, scale, campaigns)


def _performance(
    db: sqlite3.Connection, random: Random, scale: int, creatives: list[str], apps: range, publishers: range
) -> None:
    """Each batch is a report of one day; every tenth batch begins with the last rows of the batch before."""
    columns = (
        "seat_id, creative_id, billing_id, metric_date, geography, device_type, environment, publisher_ref, app_ref, "
    )
    columns += "reached_queries, bids, bids_in_auction, impressions, clicks, spend_micros, import_batch_id, created_at"
    report: list[Row] = []
    imports = []
    for batch in range(50 * scale):
        again = report[-25:] if batch % 10 == 9 else []
        report = [
            (
                random.choice((1, 2)),
                maybe(random, random.choice(creatives), 0.05),
                random.choice(BILLING_IDS),
                day(batch),
                maybe(random, random.choice(COUNTRIES), 0.05),
                random.choice(("MOBILE_APP", "DESKTOP", None)),
                random.choice(("APP", "WEB")),
                maybe(random, random.choice(publishers)),
                maybe(random, random.choice(apps)),
                *_figures(random),
            )
            for _ in range(80)
        ]
        stamp = (f"b-{batch + 1:04d}", f"{day(batch + 1)} 07:00:00")
        rows = [(*row, *stamp) for row in (*again, *report)]
        insert(db, f"performance_metrics ({columns})", rows)
        dates = (rows[0][3], day(batch))
        imports.append(
            (stamp[0], "299038253", f"report-{day(batch)}.csv", "performance_detail", stamp[1], len(rows), *dates)
        )
    columns = "batch_id, bidder_id, filename, report_type, imported_at, rows_imported, date_range_start, date_range_end"
    insert(db, f"import_history ({columns})", imports)
    db.execute(
        "INSERT INTO video_metrics SELECT m.id, m.impressions, m.impressions / 3 FROM performance_metrics m "
        "JOIN creatives c ON c.id = m.creative_id WHERE c.format = 'VIDEO'"
    )


def _summaries(db: sqlite3.Connection, random: Random, scale: int, campaigns: list[str]) -> None:
    days = range(30 * scale)
    insert(
        db,
        "rtb_traffic (buyer_id, metric_date, canonical_size, request_count, raw_size)",
        (("299038253", day(n), size, random.randrange(1 << 40), size) for n in days for size in ("300x250", "320x50")),
    )
    db.execute(
        "INSERT INTO daily_creative_summary SELECT seat_id, creative_id, metric_date, SUM(reached_queries), "
        "SUM(spend_micros) / 1000000.0, NULL FROM performance_metrics WHERE creative_id IS NOT NULL GROUP BY 1, 2, 3"
    )
    insert(
        db,
        "campaign_daily_summary",
        ((c, day(n), 5, cents(random, 100), random.random()) for c in campaigns for n in range(5)),
    )
    insert(db, "daily_upload_summary", ((day(n), 1, 80, 0, None) for n in days))
    insert(db, "account_daily_upload_summary", ((day(n), "299038253", 1) for n in days))


def consolidated(db: sqlite3.Connection, random: Random, scale: int) -> None:
    creatives = _creatives(random, 20_000, 400 * scale)
    insert(
        db,
        "creatives",
        (
            (
                id_,
                random.choice((1, 2)),
                random.choice((1, 2, 3, None)),
                kind,
                width,
                height,
                size,
                random.choice(("APPROVED", "DISAPPROVED")),
                random.choice((None, "", f"https://shop.example/{id_}?q=ä")),
                random.choice((None, *COMPANIES)),
                to_json({"id": id_, "note": sentence(random)}),
                maybe(random, second(random)),
            )
            for id_, kind, width, height, size in creatives
        ),
    )
    campaigns = [f"ai-g{n:04d}" for n in range(40 * scale)]
    insert(
        db,
        "campaigns",
        (
            (
                c,
                random.choice((1, 2)),
                sentence(random, 2),
                "",
                ai,
                random.random() if ai else None,
                None,
                second(random),
            )
            for c in campaigns
            for ai in (random.randrange(2),)
        ),
    )
    insert(db, "campaign_creatives", ((random.choice(campaigns), id_, second(random)) for id_, *_ in creatives))
    insert(
        db,
        "thumbnail_status",
        ((id_, "ok", f"thumbs/{id_}.jpg", None, second(random)) for id_, kind, *_ in creatives if kind == "VIDEO"),
    )
    facts = []
    for number in range(5000 * scale):
        id_, kind, _, _, size = random.choice(creatives)
        where = (random.choice(COUNTRIES), random.choice(("MOBILE_APP", "DESKTOP", None)), "APP")
        publisher = (f"pub-{number % 60}", random.choice((None, *COMPANIES)), f"com.example.app{number % 80}", None)
        figures = _figures(random)
        videos = (figures[3], figures[3] // 3) if kind == "VIDEO" else (None, None)
        keys = (random.choice((1, 2)), f"b-g{number // 100:04d}", day(number // 100), id_, random.choice(BILLING_IDS))
        rest = (*figures, *videos, hex_digits(random, 32), f"{day(number // 100 + 1)} 07:00:00")
        facts.append((number + 10, *keys, size, kind, *where, *publisher, *rest))
    insert(db, "rtb_daily", facts)
    insert(
        db,
        "import_history (batch_id, account_id, filename, imported_at, rows_imported, date_range_start, date_range_end)",
        (
            (f"b-g{n:04d}", 1, f"report-{day(n)}.csv", f"{day(n + 1)} 07:00:00", 100, day(n), day(n))
            for n in range(50 * scale)
        ),
    )
    insert(
        db,
        "recommendations (id, account_id, config_id, type, severity, title, evidence_json, created_at)",
        (
            (
                f"rec-g{n}",
                1,
                random.choice((1, 2, None)),
                "waste",
                "low",
                sentence(random, 4),
                to_json({"n": n}),
                second(random),
            )
            for n in range(100 * scale)
        ),
    )
