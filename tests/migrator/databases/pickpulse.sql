-- PickPulse: a script's own schema, run by init_db() at start-up. Three tables, three kinds of key.
CREATE TABLE IF NOT EXISTS accounts (
    account_id      TEXT PRIMARY KEY,
    source          TEXT NOT NULL CHECK (source IN ('hubspot', 'stripe', 'manual')),
    external_id     TEXT,
    name            TEXT NOT NULL,
    email           TEXT COLLATE NOCASE,
    domain          TEXT DEFAULT '',
    plan            TEXT NOT NULL DEFAULT 'free',
    mrr             REAL NOT NULL DEFAULT 0.0,
    seats           INTEGER DEFAULT 1 CHECK (seats >= 0),
    "end"           TEXT,                       -- contract end, ISO date
    status          TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'trial', 'churned', 'paused')),
    properties_json TEXT NOT NULL DEFAULT '{}',
    created_at      TEXT DEFAULT CURRENT_TIMESTAMP,
    updated_at      TEXT DEFAULT (datetime('now')),
    UNIQUE (source, external_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS ux_accounts_email_live ON accounts (email) WHERE status <> 'churned';
CREATE INDEX IF NOT EXISTS ix_accounts_mrr ON accounts (mrr DESC, account_id);

CREATE TABLE IF NOT EXISTS account_signals_daily (
    account_id      TEXT NOT NULL,
    signal_date     TEXT NOT NULL,
    logins          INTEGER NOT NULL DEFAULT 0,
    active_users    INTEGER NOT NULL DEFAULT 0,
    tickets_open    INTEGER,
    nps             INTEGER CHECK (nps BETWEEN -100 AND 100),
    usage_minutes   REAL,
    payment_failed  BOOLEAN NOT NULL DEFAULT 0,
    last_seen_at    TEXT,
    PRIMARY KEY (account_id, signal_date),
    FOREIGN KEY (account_id) REFERENCES accounts(account_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_signals_date ON account_signals_daily (signal_date DESC);

CREATE TABLE IF NOT EXISTS churn_scores_daily (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id          TEXT NOT NULL,
    account_id      TEXT NOT NULL REFERENCES accounts(account_id) ON DELETE CASCADE,
    score_date      TEXT NOT NULL,
    churn_prob      REAL NOT NULL CHECK (churn_prob >= 0 AND churn_prob <= 1),
    risk_band       TEXT NOT NULL CHECK (risk_band IN ('low', 'medium', 'high')),
    drivers_json    TEXT NOT NULL DEFAULT '[]',
    model_version   TEXT NOT NULL DEFAULT 'v1',
    created_at      TEXT NOT NULL DEFAULT (datetime('now')),
    UNIQUE (run_id, account_id)
);
CREATE INDEX IF NOT EXISTS ix_scores_account ON churn_scores_daily (account_id, score_date DESC);

CREATE VIEW IF NOT EXISTS v_accounts_at_risk AS
SELECT a.account_id, a.name, a.mrr, COUNT(s.id) AS runs, COALESCE(MAX(s.churn_prob), 0) AS worst
FROM accounts a LEFT JOIN churn_scores_daily s ON s.account_id = a.account_id AND s.risk_band = 'high'
WHERE a.status IN ('active', 'trial')
GROUP BY a.account_id, a.name, a.mrr;

INSERT INTO accounts (account_id, source, external_id, name, email, domain, plan, mrr, seats, "end", status, properties_json, created_at, updated_at) VALUES
('acc_7f31', 'hubspot', '18830271', 'Müller & Söhne GmbH', 'Einkauf@mueller-soehne.example', 'mueller-soehne.example', 'team', 249.0, 12, '2026-03-31', 'active', '{"industry": "Maschinenbau", "tags": ["dach", "annual"]}', '2025-01-14 08:02:11', '2025-11-03 05:00:02'),
('acc_8a02', 'stripe', 'cus_QxT41aBzP0', 'Tiny Robots 🤖', 'ops@tinyrobots.example', 'tinyrobots.example', 'growth', 99.5, 4, NULL, 'active', '{"industry":"toys"}', '2025-02-01 19:44:50', '2025-11-03 05:00:02'),
('acc_91c4', 'stripe', 'cus_R00kbb1111', 'Café Zürich', 'hallo@cafe-zuerich.example', '', 'free', 0.0, 1, NULL, 'trial', '{}', '2025-10-20 12:00:00', '2025-11-03 05:00:02'),
('acc_a1e9', 'hubspot', '18830999', 'O''Brien Logistics', 'jane@obrien.example', 'obrien.example', 'team', 249.0, 9, '2025-08-31', 'churned', '{"reason": "price \"too high\""}', '2024-09-01 00:00:00', '2025-09-01 05:00:01'),
('acc_a1ea', 'hubspot', '18831000', 'O''Brien Logistics (new)', 'JANE@obrien.example', 'obrien.example', 'team', 199.99, 9, '2026-08-31', 'active', '{"previous": "acc_a1e9"}', '2025-09-02 07:30:00', '2025-11-03 05:00:02'),
('acc_m001', 'manual', NULL, 'Friends & family', NULL, NULL, 'free', 0.0, 0, NULL, 'paused', '{}', '2024-01-01 00:00:00', '2024-01-01 00:00:00'),
('acc_m002', 'manual', NULL, 'Demo account', NULL, 'pickpulse.example', 'free', 0.0, NULL, NULL, 'paused', '{"demo": true}', '2024-01-01 00:00:00', '2025-06-30 23:59:59');

INSERT INTO account_signals_daily VALUES
('acc_7f31', '2025-11-01', 41, 11, 0, 60, 512.25, 0, '2025-11-01T17:58:03Z'),
('acc_7f31', '2025-11-02', 3, 1, 0, NULL, 12.5, 0, '2025-11-02T09:10:44Z'),
('acc_8a02', '2025-11-01', 0, 0, 2, -20, 0.0, 1, NULL),
('acc_a1e9', '2025-08-30', 0, 0, NULL, NULL, NULL, 1, NULL);

INSERT INTO churn_scores_daily (id, run_id, account_id, score_date, churn_prob, risk_band, drivers_json, model_version, created_at) VALUES
(1, 'run-20250830-0500', 'acc_a1e9', '2025-08-30', 0.9731000000000001, 'high', '["payment_failed", "no_logins_30d"]', 'v1', '2025-08-30 05:00:03'),
(2, 'run-20251102-0500', 'acc_7f31', '2025-11-02', 0.04, 'low', '[]', 'v2', '2025-11-02 05:00:03'),
(3, 'run-20251102-0500', 'acc_8a02', '2025-11-02', 0.6666666666666666, 'high', '["payment_failed", "tickets_open"]', 'v2', '2025-11-02 05:00:03'),
(9, 'run-20251102-0501', 'acc_91c4', '2025-11-02', 1e-05, 'low', '[]', 'v2', '2025-11-02 05:01:00');
DELETE FROM churn_scores_daily WHERE id = 9;   -- sqlite_sequence stays at 9
