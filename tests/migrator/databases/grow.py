"""Generated rows for PickPulse, Levqor, the Home Assistant metadata and Sergas, in the order of their foreign keys."""

from __future__ import annotations

import sqlite3
from random import Random

from .made_up import (
    COMPANIES,
    FIRST_NAMES,
    LAST_NAMES,
    cents,
    day,
    epoch,
    hex_digits,
    insert,
    maybe,
    microsecond,
    second,
    sentence,
    to_json,
    uuid4,
)


def pickpulse(db: sqlite3.Connection, random: Random, scale: int) -> None:
    accounts = [f"acc_{number:06d}" for number in range(120 * scale)]
    insert(
        db,
        "accounts",
        (
            (
                account,
                source := random.choice(("hubspot", "stripe", "manual")),
                None if source == "manual" else f"{source[:3]}_{number:08d}",
                f"{random.choice(COMPANIES)} {number}",
                maybe(random, f"{random.choice(('Ops', 'team', 'HELLO'))}{number}@kunde.example", 0.1),
                random.choice(("", f"kunde{number}.example", None)),
                random.choice(("free", "team", "growth")),
                random.choice((0.0, 49.0, cents(random, 900))),
                random.randrange(50),
                maybe(random, day(random.randrange(700)), 0.5),
                random.choice(("active", "active", "active", "trial", "churned", "paused")),
                to_json({"score": random.random(), "owner": random.choice(FIRST_NAMES)}),
                second(random),
                second(random),
            )
            for number, account in enumerate(accounts)
        ),
    )
    insert(
        db,
        "account_signals_daily",
        (
            (
                account,
                day(number),
                random.randrange(80),
                random.randrange(20),
                maybe(random, random.randrange(9)),
                maybe(random, random.randint(-100, 100), 0.9),
                maybe(random, random.expovariate(1 / 90), 0.05),
                int(random.random() < 0.03),
                maybe(random, day(number) + f"T{random.randrange(24):02d}:00:00Z"),
            )
            for account in accounts
            for number in range(30)
        ),
    )
    scores = []
    for run in range(7):
        for account in accounts:
            probability = random.random() ** 2
            band = "high" if probability > 0.6 else "medium" if probability > 0.3 else "low"
            drivers = to_json(random.sample(("no_logins_30d", "payment_failed", "tickets_open"), random.randrange(4)))
            made = f"{day(run)} 05:00:{random.randrange(60):02d}"
            scores.append((f"run-{run}", account, day(run), probability, band, drivers, "v2", made))
    columns = "run_id, account_id, score_date, churn_prob, risk_band, drivers_json, model_version, created_at"
    insert(db, f"churn_scores_daily ({columns})", scores)


def levqor(db: sqlite3.Connection, random: Random, scale: int) -> None:
    users = range(100, 100 + 400 * scale)
    insert(
        db,
        "users",
        (
            (
                user,
                f"{random.choice(('user', 'Kunde', 'größe'))}{user}@{random.choice(('example.com', 'Example.ORG'))}",
                random.choice((None, "", f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}")),
                maybe(random, random.randbytes(29), 0.1),
                random.choice(("en", "de", "pt")),
                random.choice(("GBP", "EUR", "USD")),
                random.randrange(200),
                0,
                random.randrange(2),
                to_json({"utm": {"source": random.choice(("ph", "hn", "")), "n": user}}),
                created := epoch(random),
                maybe(random, created + random.random() * 1e6),
                maybe(random, f"R{user}", 0.7),
                maybe(random, created + 2e6, 0.95),
            )
            for user in users
        ),
    )
    insert(
        db,
        "api_keys (user_id, key_hash, key_prefix, label, scopes, is_active, created_at, last_used_at)",
        (
            (
                random.choice(users),
                hex_digits(random, 64),
                f"lv_live_{number % 256:02x}",
                random.choice(("", "prod", "Büro")),
                to_json(random.choice((["read"], ["read", "write"]))),
                random.randrange(2),
                created := epoch(random),
                maybe(random, created + 5000.125, 0.3),
            )
            for number in range(300 * scale)
        ),
    )
    insert(
        db,
        'subscriptions (user_id, plan, stripe_customer_id, stripe_subscription_id, status, "start", "end")',
        (
            (
                user,
                random.choice(("free", "starter", "growth", "pro")),
                f"cus_Lv{user:06d}",
                f"sub_Lv{user:06d}",
                random.choice(("trialing", "active", "past_due", "canceled")),
                began := epoch(random),
                maybe(random, began + 2_592_000.0, 0.6),
            )
            for user in users[::3]
        ),
    )
    _levqor_jobs(db, random, scale, users)
    insert(
        db,
        'events ("user", name, properties, ip, ts)',
        (
            (
                maybe(random, random.choice(users)),
                random.choice(("login", "page_view", "job_created", "checkout")),
                to_json({"path": f"/app/{number % 97}", "title": sentence(random, 5)}, compact=True),
                random.choice((None, f"203.0.113.{number % 256}", f"2001:db8::{number % 65536:x}")),
                epoch(random),
            )
            for number in range(5000 * scale)
        ),
    )
    insert(
        db,
        "webhooks_log (provider, event_id, headers, body, signature_ok, http_status, received_at)",
        (
            (
                random.choice(("stripe", "resend", "github")),
                f"evt_{number:08d}",
                maybe(random, to_json({"User-Agent": "Stripe/1.0", "Content-Length": number})),
                to_json({"type": "invoice.paid", "data": {"id": hex_digits(random, 24), "memo": sentence(random, 20)}}),
                int(random.random() < 0.98),
                maybe(random, random.choice((200, 202, 401, 500)), 0.02),
                epoch(random),
            )
            for number in range(800 * scale)
        ),
    )
    insert(db, "referrals", ((user, user + 1, random.randrange(2), epoch(random)) for user in users[:-1:8]))
    insert(
        db,
        "usage_daily",
        (
            (user, day(number), random.randrange(9), random.randrange(500), random.random())
            for user in users[::5]
            for number in range(10)
        ),
    )
    for user in users[::20]:  # The trigger writes Audit_Log.
        db.execute(
            "UPDATE users SET credits_remaining = credits_remaining + 5, updated_at = ? WHERE id = ?",
            (epoch(random), user),
        )


def _levqor_jobs(db: sqlite3.Connection, random: Random, scale: int, users: range) -> None:
    jobs = [f"job_{hex_digits(random, 20)}" for _ in range(1500 * scale)]
    rows = []
    for job in jobs:
        status = random.choice(("queued", "running", "succeeded", "succeeded", "succeeded", "failed"))
        created = epoch(random)
        started = None if status == "queued" else created + random.random()
        finished = created + 9 * random.random() + 1 if status in ("succeeded", "failed") else None
        payload = to_json({"to": f"kunde{random.choice(users)}@example.com", "text": sentence(random, 12)})
        result = to_json({"ok": True, "n": random.getrandbits(40)}) if status == "succeeded" else None
        error = f"TimeoutError: {sentence(random)}" if status == "failed" else ""
        owner = maybe(random, random.choice(users), 0.05)
        flow = random.choice(("backup", "digest", "invoice.send"))
        cost = random.random() / 7
        rows.append(
            (job, owner, flow, status, random.randrange(10), payload, result, error, cost, created, started, finished)
        )
    columns = "user_id, workflow, status, priority, payload, result, error, cost, created_at, started_at, finished_at"
    insert(db, f"jobs (job_id, {columns})", rows)
    insert(
        db,
        "job_artifacts (job_id, filename, mime, body, sha256, created_at)",
        (
            (
                job,
                f"{name}-ü.bin",
                "image/png",
                random.randbytes(random.randrange(600)),
                random.randbytes(32),
                epoch(random),
            )
            for name, job in enumerate(jobs[::10])
        ),
    )


def ha_metadata(db: sqlite3.Connection, random: Random, scale: int) -> None:
    devices = [hex_digits(random, 32) for _ in range(400 * scale)]
    areas = ("kueche", "wohnzimmer", "garage", None)
    integrations = ("zha", "hue", "shelly", "esphome", "mqtt")
    insert(
        db,
        "devices",
        (
            (
                device,
                f"{random.choice(('Lampe', 'Steckdose', 'Bewegungsmelder', 'Thermostat'))} {number}",
                maybe(random, random.choice(("Signify", "IKEA of Sweden", "Shelly", "Bosch 🏠"))),
                maybe(random, f"M-{number % 40}"),
                random.choice((None, "", "1.2.3")),
                random.choice(areas),
                random.choice(integrations),
                maybe(random, f"01JA{hex_digits(random, 22).upper()}"),
                random.choice((None, *devices[max(0, number - 3) : number])),
                maybe(random, microsecond(random)),
                microsecond(random),
            )
            for number, device in enumerate(devices)
        ),
    )
    insert(
        db,
        "entities",
        (
            (
                f"{domain}.entity_{number}",
                maybe(random, random.choice(devices), 0.02),
                domain,
                random.choice(integrations),
                f"{hex_digits(random, 12)}-{number}",
                random.choice(areas),
                int(random.random() < 0.1),
                random.choice((None, to_json({"unit": "°C", "range": [number, number + 0.5], "on": True}))),
                microsecond(random),
            )
            for number in range(3000 * scale)
            for domain in (random.choice(("sensor", "light", "switch", "binary_sensor")),)
        ),
    )
    teams = ("sf", "dal", "gb", "kc")
    insert(
        db,
        "webhooks",
        (
            (
                f"wh_gen{number:06d}",
                f"https://hooks.example.com/{number}",
                to_json(random.sample(("game_started", "game_ended", "score_changed"), random.randrange(4))),
                hex_digits(random, 40),
                random.choice((None, *teams)),
                microsecond(random),
            )
            for number in range(150 * scale)
        ),
    )
    insert(
        db,
        "user_preferences",
        (
            (
                f"user-{number}",
                to_json(random.sample(teams, random.randrange(5))),
                to_json({"game_start": random.random() < 0.5, "volume": random.random(), "name": sentence(random, 2)}),
                microsecond(random),
            )
            for number in range(40 * scale)
        ),
    )


def sergas(db: sqlite3.Connection, random: Random, scale: int) -> None:
    insert(
        db,
        "token_refresh_audit (token_id, token_type, success, error_message, new_expires_at, timestamp)",
        (
            (random.choice((1, 4, None)), "oauth", ok, None if ok else sentence(random), when, when)
            for _ in range(500 * scale)
            for ok, when in ((int(random.random() < 0.95), microsecond(random)),)
        ),
    )
    sessions = [f"sess-{uuid4(random)}" for _ in range(800 * scale)]
    insert(
        db,
        "agent_sessions",
        (
            (
                session,
                random.choice(("orch-main", "orch-eu", "orch-ülm")),
                random.choice(("initialized", "running", "paused", "completed", "failed")),
                random.choice(("scheduled", "manual")),
                to_json({"step": random.randrange(9), "p": random.random(), "note": sentence(random), "none": None}),
                to_json([f"acc-{random.randrange(500)}" for _ in range(random.randrange(5))]),
                random.choice((None, f"owner-{random.randrange(20)}")),
                microsecond(random),
                maybe(random, microsecond(random)),
            )
            for session in sessions
        ),
    )
    insert(
        db,
        "audit_events (session_id, event_type, timestamp, actor, action, resource, event_metadata)",
        (
            (
                maybe(random, random.choice(sessions), 0.05),
                random.choice(("session.start", "zoho.read", "zoho.write", "llm.call")),
                microsecond(random),
                random.choice(("orchestrator", "agent:data-scout", "user:Zoë")),
                random.choice(("read", "write", "start")),
                random.choice((None, "", f"Accounts/acc-{random.randrange(500)}")),
                maybe(random, to_json({"ms": random.randrange(2000), "text": sentence(random, 4)})),
            )
            for _ in range(4000 * scale)
        ),
    )
    columns = "account_id, owner_email, cadence, due_date, review_time, weight, reviewers, is_active, last_session_id"
    insert(
        db,
        f"scheduled_reviews ({columns})",
        (
            (
                f"acc-g{number}",
                maybe(random, f"Owner{number}@Example.com"),
                random.choice(("daily", "weekly", "monthly")),
                day(random.randrange(600)),
                maybe(random, f"{random.randrange(24):02d}:{random.randrange(60):02d}:00.000000"),
                maybe(random, cents(random, 999)),
                to_json(random.sample(FIRST_NAMES, random.randrange(4))),
                random.randrange(2),
                maybe(random, random.choice(sessions), 0.5),
            )
            for number in range(300 * scale)
        ),
    )
