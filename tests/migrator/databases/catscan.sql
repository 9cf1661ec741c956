-- Cat-Scan after the consolidation: one store, 13 tables with one purpose each, one view.
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bidder_id TEXT UNIQUE NOT NULL,
    display_name TEXT,
    credentials_path TEXT NOT NULL,
    is_active INTEGER DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS pretargeting_configs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    config_id TEXT NOT NULL,
    billing_id TEXT,
    display_name TEXT,
    user_name TEXT,
    state TEXT DEFAULT 'ACTIVE',
    included_formats TEXT,
    included_platforms TEXT,
    included_sizes TEXT,
    included_geos TEXT,
    excluded_geos TEXT,
    raw_config TEXT,
    synced_at TIMESTAMP,
    UNIQUE(account_id, config_id)
);
CREATE INDEX IF NOT EXISTS idx_configs_billing ON pretargeting_configs(billing_id);
CREATE INDEX IF NOT EXISTS idx_configs_account ON pretargeting_configs(account_id);
CREATE TABLE IF NOT EXISTS buyer_seats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    buyer_id TEXT NOT NULL,
    display_name TEXT,
    is_active INTEGER DEFAULT 1,
    synced_at TIMESTAMP,
    UNIQUE(account_id, buyer_id)
);
CREATE TABLE IF NOT EXISTS creatives (
    id TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    buyer_seat_id INTEGER REFERENCES buyer_seats(id),
    format TEXT,
    width INTEGER,
    height INTEGER,
    canonical_size TEXT,
    approval_status TEXT,
    final_url TEXT,
    advertiser_name TEXT,
    raw_data TEXT,
    synced_at TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_creatives_account ON creatives(account_id);
CREATE INDEX IF NOT EXISTS idx_creatives_size ON creatives(canonical_size);
CREATE INDEX IF NOT EXISTS idx_creatives_format ON creatives(format);
CREATE TABLE IF NOT EXISTS rtb_daily (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    import_batch_id TEXT,
    metric_date DATE NOT NULL,
    creative_id TEXT,
    billing_id TEXT,
    creative_size TEXT,
    creative_format TEXT,
    country TEXT,
    platform TEXT,
    environment TEXT,
    publisher_id TEXT,
    publisher_name TEXT,
    app_id TEXT,
    app_name TEXT,
    reached_queries INTEGER DEFAULT 0,
    bids INTEGER DEFAULT 0,
    bids_in_auction INTEGER DEFAULT 0,
    impressions INTEGER DEFAULT 0,
    clicks INTEGER DEFAULT 0,
    spend_micros INTEGER DEFAULT 0,
    video_starts INTEGER,
    video_completions INTEGER,
    row_hash TEXT UNIQUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_rtb_date ON rtb_daily(metric_date);
CREATE INDEX IF NOT EXISTS idx_rtb_billing ON rtb_daily(billing_id);
CREATE INDEX IF NOT EXISTS idx_rtb_creative ON rtb_daily(creative_id);
CREATE INDEX IF NOT EXISTS idx_rtb_account ON rtb_daily(account_id);
CREATE INDEX IF NOT EXISTS idx_rtb_batch ON rtb_daily(import_batch_id);
CREATE TABLE IF NOT EXISTS import_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT UNIQUE NOT NULL,
    account_id INTEGER REFERENCES accounts(id),
    filename TEXT,
    report_type TEXT,
    imported_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    rows_imported INTEGER DEFAULT 0,
    rows_skipped INTEGER DEFAULT 0,
    date_range_start DATE,
    date_range_end DATE,
    status TEXT DEFAULT 'complete',
    error_message TEXT
);
CREATE TABLE IF NOT EXISTS rtb_endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    endpoint_id TEXT NOT NULL,
    url TEXT NOT NULL,
    maximum_qps INTEGER,
    trading_location TEXT,
    bid_protocol TEXT,
    synced_at TIMESTAMP,
    UNIQUE(account_id, endpoint_id)
);
CREATE TABLE IF NOT EXISTS pretargeting_pending_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    config_id INTEGER NOT NULL REFERENCES pretargeting_configs(id) ON DELETE CASCADE,
    change_type TEXT NOT NULL,
    field_name TEXT NOT NULL,
    value TEXT,
    reason TEXT,
    estimated_qps_impact REAL,
    status TEXT DEFAULT 'pending',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    applied_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS pretargeting_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    config_id INTEGER NOT NULL REFERENCES pretargeting_configs(id) ON DELETE CASCADE,
    change_type TEXT NOT NULL,
    field_changed TEXT,
    old_value TEXT,
    new_value TEXT,
    change_source TEXT DEFAULT 'api_sync',
    changed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS campaigns (
    id TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES accounts(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    is_ai_generated INTEGER DEFAULT 0,
    ai_confidence REAL,
    clustering_method TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS campaign_creatives (
    campaign_id TEXT NOT NULL REFERENCES campaigns(id) ON DELETE CASCADE,
    creative_id TEXT NOT NULL REFERENCES creatives(id) ON DELETE CASCADE,
    added_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (campaign_id, creative_id)
);
CREATE TABLE IF NOT EXISTS thumbnail_status (
    creative_id TEXT PRIMARY KEY REFERENCES creatives(id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    thumbnail_path TEXT,
    error_reason TEXT,
    updated_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS recommendations (
    id TEXT PRIMARY KEY,
    account_id INTEGER REFERENCES accounts(id) ON DELETE CASCADE,
    config_id INTEGER REFERENCES pretargeting_configs(id) ON DELETE SET NULL,
    type TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    title TEXT NOT NULL,
    description TEXT,
    evidence_json TEXT,
    status TEXT DEFAULT 'new',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    resolved_at TIMESTAMP
);
CREATE VIEW IF NOT EXISTS v_config_performance AS
SELECT pc.id, pc.account_id, pc.config_id, pc.billing_id, pc.display_name, pc.user_name, pc.state,
       COALESCE(SUM(r.reached_queries), 0) AS reached_queries,
       COALESCE(SUM(r.impressions), 0) AS impressions,
       COALESCE(SUM(r.clicks), 0) AS clicks,
       COALESCE(SUM(r.spend_micros), 0) / 1000000.0 AS spend_usd,
       CASE WHEN SUM(r.reached_queries) > 0
            THEN ROUND(100.0 * SUM(r.impressions) / SUM(r.reached_queries), 1) ELSE 0 END AS win_rate,
       CASE WHEN SUM(r.reached_queries) > 0
            THEN ROUND(100.0 * (SUM(r.reached_queries) - SUM(r.impressions)) / SUM(r.reached_queries), 1) ELSE 0 END AS waste_rate
FROM pretargeting_configs pc
LEFT JOIN rtb_daily r ON r.billing_id = pc.billing_id
GROUP BY pc.id;

INSERT INTO accounts VALUES
(1, '299038253', 'Tuky Display 🐈', '/home/catscan/.catscan/credentials/tuky.json', 1, '2025-11-02 10:00:00'),
(2, '614420001', 'Münchner Medienhaus', '/home/catscan/.catscan/credentials/münchen.json', 1, '2025-11-09 08:30:12'),
(3, '700000007', NULL, '/dev/null', 0, '2025-11-30 23:59:59');
INSERT INTO pretargeting_configs VALUES
(1, 1, '83435423204', '137175951277', 'IDN/BR/IN Android', 'South-East “A”', 'ACTIVE', '["HTML", "VIDEO"]', '["MOBILE_APP"]', '["300x250", "320x50"]', '["ID", "BR", "IN"]', '[]', '{"biddingId":"bidders/299038253","targetingMode":"INCLUSIVE"}', '2025-12-01 06:00:00'),
(2, 1, '83435423205', '137175951278', 'MENA', NULL, 'SUSPENDED', NULL, NULL, NULL, NULL, NULL, NULL, '2025-12-01 06:00:00'),
(3, 2, '90000000001', NULL, 'noch nicht abgerechnet', '', 'ACTIVE', '[]', '[]', '[]', '["DE", "AT", "CH"]', '[]', '{}', NULL);
INSERT INTO buyer_seats VALUES (1, 1, '299038253', 'Tuky', 1, '2025-12-01 06:00:00'), (2, 2, '614420001', 'Medienhaus', 1, NULL), (3, 2, '614420002', 'Medienhaus – Österreich', 0, '2025-12-01 06:00:00');
INSERT INTO creatives VALUES
('cr-10001', 1, 1, 'HTML', 300, 250, '300x250 (Medium Rectangle)', 'APPROVED', 'https://shop.example/?utm_source=catscan&p=100%25', 'Gölden Gärten', '{"html": {"snippet": "<div class=\"ad\">🐱</div>"}}', '2025-12-01 06:00:10'),
('cr-10002', 1, NULL, 'VIDEO', NULL, NULL, NULL, 'DISAPPROVED', '', NULL, NULL, NULL);
INSERT INTO import_history VALUES (1, 'b-0001', 1, 'catscan-report-2025-11-30.csv', 'performance_detail', '2025-12-01 07:00:00', 2, 1, '2025-11-30', '2025-11-30', 'complete', NULL), (2, 'b-0002', NULL, 'leer.csv', NULL, '2025-12-01 07:05:00', 0, 0, NULL, NULL, 'failed', 'no header row; expected "#Day"');
INSERT INTO rtb_daily VALUES
(1, 1, 'b-0001', '2025-11-30', 'cr-10001', '137175951277', '300x250', 'HTML', 'BR', 'MOBILE_APP', 'APP', 'pub-1', 'Jogos São Paulo', 'com.example.jogos', 'Jogos', 12000, 9000, 8500, 4500, 61, 1234567, NULL, NULL, '3f2b1c0000000000000000000000aaaa', '2025-12-01 07:00:00'),
(2, 1, 'b-0001', '2025-11-30', 'cr-10002', '137175951277', NULL, 'VIDEO', 'IN', 'MOBILE_APP', 'APP', 'pub-2', '', NULL, NULL, 3, 0, 0, 0, 0, 0, 0, 0, '3f2b1c0000000000000000000000aaab', '2025-12-01 07:00:00');
INSERT INTO rtb_endpoints VALUES (1, 1, '14379', 'https://bid-us.example.com/rtb?x=1', 10000, 'US_EAST', 'OPENRTB_2_5', '2025-12-01 06:00:00'), (2, 1, '14380', 'https://bid-asia.example.com/rtb', 30000, 'ASIA', 'GOOGLE_RTB', NULL);
INSERT INTO pretargeting_pending_changes VALUES (1, 1, 'add_size', 'included_sizes', '320x480', 'Größe fehlt', -12.5, 'pending', '2025-12-01 08:00:00', NULL), (2, 1, 'remove_geo', 'included_geos', 'IN', NULL, NULL, 'applied', '2025-12-01 08:01:00', '2025-12-01 09:00:00');
INSERT INTO pretargeting_history VALUES (1, 2, 'update', 'state', 'ACTIVE', 'SUSPENDED', 'api_sync', '2025-11-29 06:00:00'), (2, 1, 'update', 'user_name', NULL, 'South-East “A”', 'user', '2025-11-29 10:00:00');
INSERT INTO campaigns VALUES ('cl-1', 1, 'Gärten', '', 0, NULL, NULL, '2025-11-10 00:00:00'), ('ai-1', 1, 'Winter ❄️', 'Auto-clustered by URL', 1, 0.8712, 'url_domain', '2025-11-11 00:00:00');
INSERT INTO campaign_creatives VALUES ('cl-1', 'cr-10001', '2025-11-10 00:00:01'), ('ai-1', 'cr-10001', '2025-11-11 00:00:01');
INSERT INTO thumbnail_status VALUES ('cr-10001', 'ok', 'thumbs/cr-10001.jpg', NULL, '2025-12-01 06:10:00'), ('cr-10002', 'failed', NULL, 'ffmpeg: moov atom not found', NULL);
INSERT INTO recommendations VALUES ('rec-1', 1, 1, 'size_coverage', 'high', '12 % waste on 320x480', 'Add the size or block it.', '{"queries": 12000, "sizes": ["320x480"]}', 'new', '2025-12-01 09:00:00', NULL);
