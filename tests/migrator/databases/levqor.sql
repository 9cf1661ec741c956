-- Levqor: Flask back end, schema grown by hand in run.py over a year. Epoch seconds as REAL, JSON as TEXT.
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT,
    password_hash BLOB,
    locale TEXT DEFAULT 'en',
    currency TEXT DEFAULT 'GBP',
    credits_remaining INTEGER NOT NULL DEFAULT 50,
    is_admin BOOLEAN NOT NULL DEFAULT 0,
    email_verified BOOLEAN DEFAULT 0,
    meta TEXT DEFAULT '{}',
    created_at REAL NOT NULL,
    updated_at REAL
);
ALTER TABLE users ADD COLUMN ref_code TEXT;
ALTER TABLE users ADD COLUMN deleted_at REAL DEFAULT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS idx_users_ref_code ON users(ref_code) WHERE ref_code IS NOT NULL;

CREATE TABLE IF NOT EXISTS plans (
    code TEXT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    price_pence INTEGER NOT NULL CHECK (price_pence >= 0),
    "order" INTEGER NOT NULL DEFAULT 0,
    "default" BOOLEAN NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    key_prefix TEXT NOT NULL,
    label TEXT DEFAULT '',
    scopes TEXT DEFAULT '["read"]',
    is_active BOOLEAN DEFAULT 1,
    created_at REAL NOT NULL,
    last_used_at REAL,
    FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idx_api_keys_user ON api_keys(user_id) WHERE is_active = 1;

CREATE TABLE IF NOT EXISTS subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE ON UPDATE CASCADE,
    plan TEXT NOT NULL REFERENCES plans(code),
    stripe_customer_id TEXT,
    stripe_subscription_id TEXT UNIQUE,
    status TEXT NOT NULL DEFAULT 'trialing' CHECK (status IN ('trialing','active','past_due','canceled')),
    "start" REAL NOT NULL,
    "end" REAL,
    cancel_at_period_end BOOLEAN NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_subscriptions_one_live ON subscriptions(user_id) WHERE status IN ('trialing','active','past_due');

CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL UNIQUE,
    user_id INTEGER REFERENCES users(id) ON DELETE SET NULL,
    workflow TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued','running','succeeded','failed')),
    priority INTEGER DEFAULT 0,
    payload TEXT NOT NULL DEFAULT '{}',
    result TEXT,
    error TEXT DEFAULT '',
    cost REAL DEFAULT 0.0,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL
);
CREATE INDEX IF NOT EXISTS idx_jobs_queue ON jobs(priority DESC, created_at) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS idx_jobs_user_created ON jobs(user_id, created_at DESC);

CREATE TABLE IF NOT EXISTS job_artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES jobs(job_id) ON DELETE CASCADE,
    filename TEXT NOT NULL,
    mime TEXT NOT NULL DEFAULT 'application/octet-stream',
    body BLOB NOT NULL,
    sha256 BLOB CHECK (length(sha256) = 32),
    created_at REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    "user" INTEGER REFERENCES users(id) ON DELETE SET NULL,
    name TEXT NOT NULL,
    properties TEXT DEFAULT '{}',
    ip TEXT,
    ts REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_events_ts ON events(ts DESC);
CREATE INDEX IF NOT EXISTS idx_events_name_ts ON events(name, ts);

CREATE TABLE IF NOT EXISTS webhooks_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    headers TEXT,
    body TEXT NOT NULL,
    signature_ok BOOLEAN NOT NULL,
    http_status INTEGER,
    received_at REAL NOT NULL,
    UNIQUE(provider, event_id)
);

CREATE TABLE IF NOT EXISTS referrals (
    referrer_id INTEGER NOT NULL REFERENCES users(id),
    referee_id INTEGER NOT NULL REFERENCES users(id),
    credited BOOLEAN NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    PRIMARY KEY (referrer_id, referee_id),
    CHECK (referrer_id <> referee_id)
);

CREATE TABLE IF NOT EXISTS usage_daily (
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    jobs_run INTEGER NOT NULL DEFAULT 0,
    api_calls INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, day)
);

CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT, updated_at TEXT DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS Audit_Log (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    UserId INTEGER NOT NULL,
    Action TEXT NOT NULL,
    OldCredits INTEGER,
    NewCredits INTEGER,
    At REAL
);
CREATE TRIGGER IF NOT EXISTS trg_users_credits AFTER UPDATE OF credits_remaining ON users
FOR EACH ROW WHEN old.credits_remaining <> new.credits_remaining
BEGIN
    INSERT INTO Audit_Log (UserId, Action, OldCredits, NewCredits, At)
    VALUES (new.id, 'credits', old.credits_remaining, new.credits_remaining, new.updated_at);
END;

CREATE VIEW IF NOT EXISTS v_active_subscriptions AS
SELECT s.id, u.email, p.title AS plan_title, p.price_pence, s."start", s."end"
FROM subscriptions s JOIN users u ON u.id = s.user_id JOIN plans p ON p.code = s.plan
WHERE s.status IN ('active','past_due');

INSERT INTO plans VALUES ('free','Free',0,1,1), ('starter','Starter',1900,2,0), ('growth','Growth',4900,3,0), ('pro','Pro — „alles drin“',14900,4,0);
INSERT INTO users (id, email, name, password_hash, locale, currency, credits_remaining, is_admin, email_verified, meta, created_at, updated_at, ref_code, deleted_at) VALUES
(1, 'Vic@levqor.example', 'Vic', x'24326224313224004B4AFF10', 'en', 'GBP', 1000000, 1, 1, '{"beta": true, "tags": ["founder"]}', 1717200000.0, 1731000000.25, 'VIC', NULL),
(2, 'jürgen@example.org', 'Jürgen Größe', x'243262243132240102030405', 'de', 'EUR', 48, 0, 1, '{}', 1719830000.123456, 1731110000.5, 'JG-2024', NULL),
(3, 'ana.silva@example.com', 'Ana Silva 🌻', x'24326224313224FFFEFDFCFB', 'pt', 'EUR', 0, 0, 1, '{"utm":{"source":"ph","medium":""}}', 1722470400.999999, 1731120000.0, NULL, NULL),
(4, 'old.customer@example.com', '', NULL, 'en', 'USD', 50, 0, 0, '{}', 1722470401.0, NULL, NULL, 1728000000.0),
(5, 'noname@example.net', NULL, x'', 'en', 'USD', 50, 0, 0, '{"note":"line1\nline2"}', 1725148800.5, 1725148800.5, NULL, NULL);
UPDATE users SET credits_remaining = 47, updated_at = 1731110042.75 WHERE id = 2;
INSERT INTO api_keys VALUES
(1, 1, 'b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78', 'lv_live_a1', 'prod', '["read", "write", "admin"]', 1, 1717200100.0, 1731119999.875),
(2, 2, '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'lv_live_b2', '', '["read"]', 0, 1719840000.0, NULL);
INSERT INTO subscriptions VALUES
(1, 1, 'pro', 'cus_Lv0001', 'sub_Lv0001', 'active', 1717200200.0, NULL, 0),
(2, 2, 'growth', 'cus_Lv0002', 'sub_Lv0002', 'canceled', 1719840000.0, 1722432000.0, 1),
(3, 2, 'starter', 'cus_Lv0002', 'sub_Lv0007', 'past_due', 1722432000.0, NULL, 0);
INSERT INTO jobs VALUES
(1, 'job_01J9Z0', 1, 'backup', 'succeeded', 5, '{"target": "s3://levqor/backup", "full": true}', '{"bytes": 1638400}', '', 0.0125, 1731000000.1, 1731000000.2, 1731000004.7),
(2, 'job_01J9Z1', 2, 'invoice.send', 'failed', 0, '{"to": "jürgen@example.org"}', NULL, 'SMTPException: 550 "mailbox unavailable"', 0.0, 1731000100.0, 1731000101.0, 1731000102.0),
(3, 'job_01J9Z2', NULL, 'digest', 'queued', 9, '{}', NULL, '', 0.0, 1731000200.0, NULL, NULL);
INSERT INTO job_artifacts VALUES
(1, 'job_01J9Z0', 'manifest.json', 'application/json', x'7B7D', x'44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A', 1731000004.5),
(2, 'job_01J9Z0', 'empty.bin', 'application/octet-stream', x'', NULL, 1731000004.6);
INSERT INTO events VALUES
(1, 1, 'login', '{"method":"magic_link"}', '203.0.113.7', 1731000000.0),
(2, NULL, 'page_view', '{"path":"/pricing?ref=100%25"}', '2001:db8::1', 1731000001.25);
INSERT INTO webhooks_log VALUES
(1, 'stripe', 'evt_1QLv01', '{"Stripe-Signature":"t=1731000000,v1=redacted"}', '{"type":"invoice.paid","data":{"object":{"amount_paid":14900}}}', 1, 200, 1731000002.0),
(2, 'resend', 'evt_1QLv01', NULL, '{"type":"email.bounced"}', 0, 401, 1731000003.5);
INSERT INTO referrals VALUES (1, 2, 1, 1719830000.5), (2, 3, 0, 1722470401.25);
INSERT INTO usage_daily VALUES (1, '2024-11-07', 1, 20, 0.0125), (2, '2024-11-07', 1, 3, 0.0);
INSERT INTO kv VALUES ('schema_version', '14', '2025-01-02 03:04:05'), ('feature:dark_mode', 'true', '2025-01-02 03:04:05'), ('motd', '', '2025-02-03 04:05:06'), ('last_backup', NULL, '2025-02-03 04:05:06');
