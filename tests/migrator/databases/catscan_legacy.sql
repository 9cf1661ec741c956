-- Cat-Scan before the consolidation. The 17 tables that go come first, in two groups; the ten that stay come last.

-- 1. merged: five tables into accounts, campaigns and rtb_daily
CREATE TABLE IF NOT EXISTS service_accounts (
    id TEXT PRIMARY KEY,
    client_email TEXT UNIQUE NOT NULL,
    project_id TEXT,
    display_name TEXT,
    credentials_path TEXT NOT NULL,
    is_active INTEGER DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    last_used TIMESTAMP
);
CREATE TABLE IF NOT EXISTS seats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bidder_id TEXT UNIQUE NOT NULL,
    seat_name TEXT,
    service_account_id TEXT NOT NULL REFERENCES service_accounts(id),
    is_active BOOLEAN DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS clusters (
    id TEXT PRIMARY KEY,
    seat_id INTEGER REFERENCES seats(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    creative_count INTEGER DEFAULT 0,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS ai_campaigns (
    id TEXT PRIMARY KEY,
    seat_id INTEGER REFERENCES seats(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT DEFAULT '',
    ai_generated BOOLEAN DEFAULT TRUE,
    ai_confidence REAL CHECK (ai_confidence BETWEEN 0 AND 1),
    clustering_method TEXT,
    status TEXT DEFAULT 'active' CHECK (status IN ('active', 'paused', 'archived')),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS apps (id INTEGER PRIMARY KEY, app_id TEXT UNIQUE NOT NULL, app_name TEXT, platform TEXT, fraud_risk_score REAL DEFAULT 0.0);
CREATE TABLE IF NOT EXISTS publishers (id INTEGER PRIMARY KEY, publisher_id TEXT UNIQUE NOT NULL, publisher_name TEXT);
CREATE TABLE IF NOT EXISTS performance_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seat_id INTEGER NOT NULL REFERENCES seats(id) ON DELETE CASCADE,
    creative_id TEXT REFERENCES creatives(id) ON DELETE CASCADE,
    billing_id TEXT,
    metric_date DATE NOT NULL,
    geography TEXT,
    device_type TEXT,
    environment TEXT DEFAULT 'APP',
    publisher_ref INTEGER REFERENCES publishers(id),
    app_ref INTEGER REFERENCES apps(id),
    reached_queries INTEGER DEFAULT 0,
    bids INTEGER DEFAULT 0,
    bids_in_auction INTEGER DEFAULT 0,
    impressions INTEGER DEFAULT 0,
    clicks INTEGER DEFAULT 0,
    spend_micros INTEGER DEFAULT 0,
    import_batch_id TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_perf_date ON performance_metrics(metric_date DESC);
CREATE INDEX IF NOT EXISTS idx_perf_creative_date ON performance_metrics(creative_id, metric_date DESC);
CREATE INDEX IF NOT EXISTS idx_perf_billing ON performance_metrics(billing_id) WHERE billing_id IS NOT NULL;

-- 2. dropped: ten more, with apps and publishers above
CREATE TABLE IF NOT EXISTS video_metrics (performance_id INTEGER PRIMARY KEY REFERENCES performance_metrics(id) ON DELETE CASCADE, video_starts INTEGER DEFAULT 0, video_completions INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS rtb_traffic (id INTEGER PRIMARY KEY AUTOINCREMENT, buyer_id TEXT NOT NULL, metric_date DATE NOT NULL, canonical_size TEXT, request_count INTEGER NOT NULL, raw_size TEXT, UNIQUE(buyer_id, metric_date, raw_size));
CREATE TABLE IF NOT EXISTS daily_creative_summary (seat_id INTEGER, creative_id TEXT, date DATE, total_queries INTEGER, total_spend_usd REAL, win_rate REAL, PRIMARY KEY (seat_id, creative_id, date)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS campaign_daily_summary (campaign_id TEXT NOT NULL REFERENCES ai_campaigns(id) ON DELETE CASCADE, date DATE NOT NULL, total_creatives INTEGER DEFAULT 0, total_spend REAL DEFAULT 0, ctr REAL, PRIMARY KEY (campaign_id, date));
CREATE TABLE IF NOT EXISTS daily_upload_summary (upload_date DATE PRIMARY KEY, total_uploads INTEGER DEFAULT 0, total_rows_written INTEGER DEFAULT 0, has_anomaly INTEGER DEFAULT 0, anomaly_reason TEXT);
CREATE TABLE IF NOT EXISTS account_daily_upload_summary (upload_date DATE, bidder_id TEXT, total_uploads INTEGER DEFAULT 0, PRIMARY KEY (upload_date, bidder_id));
CREATE TABLE IF NOT EXISTS pretargeting_snapshots (id INTEGER PRIMARY KEY AUTOINCREMENT, billing_id TEXT NOT NULL, snapshot_name TEXT, included_geos TEXT, total_spend_usd REAL, avg_daily_imps REAL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS snapshot_comparisons (id INTEGER PRIMARY KEY AUTOINCREMENT, before_snapshot_id INTEGER NOT NULL REFERENCES pretargeting_snapshots(id), after_snapshot_id INTEGER REFERENCES pretargeting_snapshots(id), conclusion TEXT, status TEXT DEFAULT 'in_progress');
CREATE TABLE IF NOT EXISTS pretargeting_change_log (id INTEGER PRIMARY KEY AUTOINCREMENT, config_id TEXT, raw_diff BLOB, logged_at TIMESTAMP DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS retention_config (id INTEGER PRIMARY KEY CHECK (id = 1), raw_retention_days INTEGER DEFAULT 90, auto_aggregate_after_days INTEGER DEFAULT 30);

-- 3. kept
CREATE TABLE IF NOT EXISTS buyer_seats (id INTEGER PRIMARY KEY AUTOINCREMENT, bidder_id TEXT NOT NULL REFERENCES seats(bidder_id) ON UPDATE CASCADE, buyer_id TEXT UNIQUE NOT NULL, display_name TEXT, active INTEGER DEFAULT 1, last_synced TIMESTAMP);
CREATE TABLE IF NOT EXISTS creatives (
    id TEXT PRIMARY KEY,
    name TEXT,
    seat_id INTEGER NOT NULL REFERENCES seats(id),
    buyer_id TEXT REFERENCES buyer_seats(buyer_id),
    format TEXT CHECK (format IN ('HTML', 'VIDEO', 'NATIVE')),
    approval_status TEXT,
    width INTEGER,
    height INTEGER,
    canonical_size TEXT,
    final_url TEXT,
    advertiser_name TEXT,
    cluster_id TEXT REFERENCES clusters(id) ON DELETE SET NULL,
    raw_data TEXT DEFAULT '{}',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_creatives_cluster ON creatives(cluster_id);
CREATE INDEX IF NOT EXISTS idx_creatives_canonical ON creatives(canonical_size);
CREATE TABLE IF NOT EXISTS campaign_creatives (campaign_id TEXT NOT NULL REFERENCES ai_campaigns(id) ON DELETE CASCADE, creative_id TEXT NOT NULL REFERENCES creatives(id) ON DELETE CASCADE, manually_assigned BOOLEAN DEFAULT 0, added_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (campaign_id, creative_id));
CREATE TABLE IF NOT EXISTS thumbnail_status (
    creative_id TEXT PRIMARY KEY REFERENCES creatives(id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    thumbnail_path TEXT,
    error_reason TEXT,
    updated_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS pretargeting_configs (id INTEGER PRIMARY KEY AUTOINCREMENT, bidder_id TEXT NOT NULL REFERENCES seats(bidder_id), config_id TEXT NOT NULL, billing_id TEXT, display_name TEXT, user_name TEXT, state TEXT DEFAULT 'ACTIVE', included_formats TEXT, included_platforms TEXT, included_sizes TEXT, included_geos TEXT, excluded_geos TEXT, raw_config TEXT, synced_at TIMESTAMP, UNIQUE(bidder_id, config_id));
CREATE TABLE IF NOT EXISTS pretargeting_pending_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, bidder_id TEXT NOT NULL, config_id TEXT NOT NULL, change_type TEXT NOT NULL, field_name TEXT NOT NULL, value TEXT, reason TEXT, estimated_qps_impact REAL, status TEXT DEFAULT 'pending' CHECK (status IN ('pending', 'applied', 'cancelled')), created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, applied_at TIMESTAMP, FOREIGN KEY (bidder_id, config_id) REFERENCES pretargeting_configs(bidder_id, config_id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS pretargeting_history (id INTEGER PRIMARY KEY AUTOINCREMENT, bidder_id TEXT NOT NULL, config_id TEXT NOT NULL, change_type TEXT NOT NULL, field_changed TEXT, old_value TEXT, new_value TEXT, change_source TEXT DEFAULT 'api_sync', changed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (bidder_id, config_id) REFERENCES pretargeting_configs(bidder_id, config_id));
CREATE TABLE IF NOT EXISTS rtb_endpoints (id INTEGER PRIMARY KEY AUTOINCREMENT, bidder_id TEXT NOT NULL REFERENCES seats(bidder_id), endpoint_id TEXT NOT NULL, url TEXT NOT NULL, maximum_qps INTEGER, trading_location TEXT, bid_protocol TEXT, synced_at TIMESTAMP, UNIQUE(bidder_id, endpoint_id));
CREATE TABLE IF NOT EXISTS import_history (id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT UNIQUE NOT NULL, bidder_id TEXT, filename TEXT, report_type TEXT, imported_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, rows_imported INTEGER DEFAULT 0, rows_skipped INTEGER DEFAULT 0, date_range_start DATE, date_range_end DATE, status TEXT DEFAULT 'complete', error_message TEXT);
CREATE TABLE IF NOT EXISTS recommendations (id TEXT PRIMARY KEY, seat_id INTEGER REFERENCES seats(id), billing_id TEXT, type TEXT NOT NULL, severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')), title TEXT NOT NULL, description TEXT, evidence_json TEXT, status TEXT DEFAULT 'new', created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, resolved_at TIMESTAMP);

CREATE VIEW IF NOT EXISTS v_publisher_waste AS
SELECT p.publisher_id, p.publisher_name, SUM(m.reached_queries) AS reached, SUM(m.impressions) AS imps
FROM publishers p JOIN performance_metrics m ON m.publisher_ref = p.id GROUP BY p.id;
CREATE TRIGGER IF NOT EXISTS trg_cluster_count AFTER UPDATE OF cluster_id ON creatives
BEGIN
    UPDATE clusters SET creative_count = (SELECT COUNT(*) FROM creatives WHERE cluster_id = clusters.id) WHERE id IN (old.cluster_id, new.cluster_id);
END;

INSERT INTO service_accounts VALUES
('5b0f7f0e-7f55-4c2c-9a53-1d6a3f9d2a01', 'catscan@tuky-prod.iam.example.com', 'tuky-prod', 'Tuky prod', '/home/catscan/.catscan/credentials/tuky.json', 1, '2025-11-02 10:00:00', '2025-11-30 06:00:00'),
('5b0f7f0e-7f55-4c2c-9a53-1d6a3f9d2a02', 'catscan@medienhaus.iam.example.com', NULL, 'Münchner Medienhaus', '/home/catscan/.catscan/credentials/münchen.json', 1, '2025-11-09 08:00:00', NULL);
INSERT INTO seats VALUES
(1, '299038253', 'Tuky Display 🐈', '5b0f7f0e-7f55-4c2c-9a53-1d6a3f9d2a01', 1, '2025-11-02 10:00:00'),
(2, '614420001', NULL, '5b0f7f0e-7f55-4c2c-9a53-1d6a3f9d2a02', 1, '2025-11-09 08:30:12'),
(5, '700000007', '', '5b0f7f0e-7f55-4c2c-9a53-1d6a3f9d2a01', 0, '2025-11-30 23:59:59');
INSERT INTO clusters VALUES ('cl-0001', 1, 'Gärten & Pflanzen', NULL, 0, '2025-11-10 00:00:00'), ('cl-0002', 1, 'Spiele 🎮', 'by hand', 0, '2025-11-10 00:05:00'), ('cl-0003', NULL, 'unassigned', '', 0, '2025-11-10 00:06:00');
INSERT INTO ai_campaigns VALUES ('ai-0001', 1, 'Winter ❄️', 'Auto-clustered by URL', 1, 0.8712, 'url_domain', 'active', '2025-11-11 00:00:00'), ('ai-0002', 2, 'Sommer', '', 1, NULL, 'gemini', 'archived', '2025-11-12 00:00:00'), ('ai-0003', 1, 'Renamed by a person', '', 0, 1.0, 'gemini', 'paused', '2025-11-13 00:00:00');
INSERT INTO apps VALUES (1, 'com.example.jogos', 'Jogos São Paulo', 'ANDROID', 0.0), (2, '1234567890', 'Weather ☀', 'IOS', 0.25), (3, 'com.example.unknown', NULL, NULL, 0.0);
INSERT INTO publishers VALUES (1, 'pub-1000000000000001', 'Jogos Ltda.'), (2, 'pub-1000000000000002', ''), (3, 'pub-1000000000000003', NULL);
INSERT INTO retention_config VALUES (1, 90, 30);
INSERT INTO buyer_seats VALUES (1, '299038253', '299038253', 'Tuky', 1, '2025-12-01 06:00:00'), (2, '614420001', '614420001', 'Medienhaus', 1, NULL), (3, '614420001', '614420002', 'Medienhaus – Österreich', 0, '2025-12-01 06:00:00');
INSERT INTO creatives VALUES
('cr-00001', 'bidders/299038253/creatives/cr-00001', 1, '299038253', 'HTML', 'APPROVED', 300, 250, '300x250 (Medium Rectangle)', 'https://shop.example/?utm_source=catscan&p=100%25', 'Gölden Gärten', 'cl-0001', '{"html": {"snippet": "<div class=\"ad\">🐱</div>"}}', '2025-11-02 10:00:00', '2025-12-01 06:00:10'),
('cr-00002', NULL, 2, NULL, 'VIDEO', 'DISAPPROVED', NULL, NULL, NULL, '', NULL, NULL, '{}', '2025-11-02 10:00:00', NULL);
INSERT INTO campaign_creatives VALUES ('ai-0001', 'cr-00001', 0, '2025-11-11 00:00:01'), ('ai-0002', 'cr-00002', 1, '2025-11-12 00:00:01');
INSERT INTO pretargeting_configs VALUES
(1, '299038253', '83435423204', '137175951277', 'IDN/BR/IN Android', 'South-East “A”', 'ACTIVE', '["HTML", "VIDEO"]', '["MOBILE_APP"]', '["300x250", "320x50"]', '["ID", "BR", "IN"]', '[]', '{"targetingMode":"INCLUSIVE"}', '2025-12-01 06:00:00'),
(2, '299038253', '83435423205', '137175951278', 'MENA', NULL, 'SUSPENDED', NULL, NULL, NULL, NULL, NULL, NULL, '2025-12-01 06:00:00'),
(3, '614420001', '90000000001', NULL, 'noch nicht abgerechnet', '', 'ACTIVE', '[]', '[]', '[]', '["DE", "AT"]', '[]', '{}', NULL);
INSERT INTO pretargeting_pending_changes VALUES (1, '299038253', '83435423204', 'add_size', 'included_sizes', '320x480', 'Größe fehlt', -12.5, 'pending', '2025-12-01 08:00:00', NULL), (2, '614420001', '90000000001', 'remove_geo', 'included_geos', 'AT', NULL, NULL, 'applied', '2025-12-01 08:01:00', '2025-12-01 09:00:00');
INSERT INTO pretargeting_history VALUES (1, '299038253', '83435423205', 'update', 'state', 'ACTIVE', 'SUSPENDED', 'api_sync', '2025-11-29 06:00:00'), (2, '299038253', '83435423204', 'update', 'user_name', NULL, 'South-East “A”', 'user', '2025-11-29 10:00:00');
INSERT INTO pretargeting_snapshots VALUES (1, '137175951277', 'before', '["ID","BR"]', 1234.56, 45000.5, '2025-11-20 00:00:00'), (2, '137175951277', 'after', '["ID","BR","IN"]', 1100.0, 47000.0, '2025-11-27 00:00:00');
INSERT INTO snapshot_comparisons VALUES (1, 1, 2, 'besser: −11 % Kosten', 'completed');
INSERT INTO pretargeting_change_log VALUES (1, '83435423204', x'1F8B08000000000000FF', '2025-11-21 00:00:00');
INSERT INTO rtb_endpoints VALUES (1, '299038253', '14379', 'https://bid-us.example.com/rtb?x=1', 10000, 'US_EAST', 'OPENRTB_2_5', '2025-12-01 06:00:00'), (2, '614420001', '14379', 'https://bid-eu.example.com/rtb', NULL, 'EUROPE', 'GOOGLE_RTB', NULL);
INSERT INTO import_history VALUES (1, 'b-0000', NULL, 'leer.csv', NULL, '2025-11-01 07:05:00', 0, 0, NULL, NULL, 'failed', 'no header row; expected "#Day"');
INSERT INTO recommendations VALUES ('rec-1', 1, '137175951277', 'size_coverage', 'high', '12 % waste on 320x480', 'Add the size or block it.', '{"queries": 12000, "sizes": ["320x480"]}', 'new', '2025-12-01 09:00:00', NULL), ('rec-2', NULL, NULL, 'general', 'low', 'Alles gut', NULL, NULL, 'resolved', '2025-12-01 09:00:00', '2025-12-02 09:00:00');
