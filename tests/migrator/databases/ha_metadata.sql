-- Home Assistant metadata (Epic 22): SQLAlchemy 2 create_all() under Alembic. JSON has NUMERIC affinity in SQLite.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE devices (
	device_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	manufacturer VARCHAR, 
	model VARCHAR, 
	sw_version VARCHAR, 
	area_id VARCHAR, 
	integration VARCHAR, 
	config_entry_id VARCHAR, 
	via_device VARCHAR, 
	last_seen DATETIME, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (device_id), 
	FOREIGN KEY(via_device) REFERENCES devices (device_id) ON DELETE SET NULL
);

CREATE INDEX idx_device_area ON devices (area_id);
CREATE INDEX idx_device_integration ON devices (integration);
CREATE INDEX idx_device_last_seen ON devices (last_seen DESC);

CREATE TABLE entities (
	entity_id VARCHAR NOT NULL, 
	device_id VARCHAR, 
	domain VARCHAR NOT NULL, 
	platform VARCHAR, 
	unique_id VARCHAR, 
	area_id VARCHAR, 
	disabled BOOLEAN NOT NULL, 
	capabilities JSON, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (entity_id), 
	CONSTRAINT uq_entity_platform_unique UNIQUE (domain, platform, unique_id), 
	FOREIGN KEY(device_id) REFERENCES devices (device_id) ON DELETE CASCADE
);

CREATE INDEX idx_entity_device ON entities (device_id);
CREATE INDEX idx_entity_domain_enabled ON entities (domain) WHERE disabled = 0;

CREATE TABLE webhooks (
	webhook_id VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	events JSON NOT NULL, 
	secret VARCHAR NOT NULL, 
	team VARCHAR, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (webhook_id)
);

CREATE INDEX ix_webhooks_team ON webhooks (team);

CREATE TABLE user_preferences (
	user_id VARCHAR DEFAULT 'default' NOT NULL, 
	selected_teams JSON DEFAULT '[]' NOT NULL, 
	notification_settings JSON DEFAULT '{}' NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (user_id)
);

INSERT INTO alembic_version VALUES ('a3f09c21e7b4');
INSERT INTO devices VALUES
('0b1f6c2a9d3e4f5061728394a5b6c7d8', 'Zigbee-Koordinator', 'Nabu Casa', 'Home Assistant Connect ZBT-1', '7.4.4.0', 'technikraum', 'zha', '01JA0000000000000000000001', NULL, '2025-10-18 09:30:00.000000', '2025-01-05 18:20:11.512340'),
('1c2d7e3b8f4a5b6c7d8e9f0a1b2c3d4e', 'Küche Temperatur 🌡️', 'LUMI', 'lumi.weather', '', 'kueche', 'zha', '01JA0000000000000000000001', '0b1f6c2a9d3e4f5061728394a5b6c7d8', '2025-10-18 09:29:41.031337', '2025-01-05 18:22:10.000000'),
('2d3e8f4c9a5b6c7d8e9f0a1b2c3d4e5f', 'Living room TV', 'LG', 'OLED55C2', '03.21.30', 'wohnzimmer', 'webostv', '01JA0000000000000000000002', NULL, NULL, '2025-02-11 20:00:00.000001'),
('3e4f9a5d0b6c7d8e9f0a1b2c3d4e5f60', 'Sun', NULL, NULL, NULL, NULL, 'sun', NULL, NULL, '2025-10-18 04:55:00.999999', '2025-01-05 18:20:00.000000');
INSERT INTO entities VALUES
('sensor.kuche_temperatur', '1c2d7e3b8f4a5b6c7d8e9f0a1b2c3d4e', 'sensor', 'zha', '00:15:8d:00:02:aa:bb:cc-1-1026', NULL, 0, '{"state_class": "measurement", "unit": "°C"}', '2025-01-05 18:22:10.000000'),
('sensor.kuche_batterie', '1c2d7e3b8f4a5b6c7d8e9f0a1b2c3d4e', 'sensor', 'zha', '00:15:8d:00:02:aa:bb:cc-1-1', NULL, 1, 'null', '2025-01-05 18:22:10.000000'),
('media_player.living_room_tv', '2d3e8f4c9a5b6c7d8e9f0a1b2c3d4e5f', 'media_player', 'webostv', 'd1f0c0de-0000-4000-8000-00000000cafe', 'wohnzimmer', 0, '{"source_list": ["HDMI 1", "Live TV", "YouTube"]}', '2025-02-11 20:00:00.000001'),
('sun.sun', NULL, 'sun', 'sun', NULL, NULL, 0, NULL, '2025-01-05 18:20:00.000000');
INSERT INTO webhooks VALUES
('wh_5f3a1c', 'https://hooks.example.com/game?team=sf&x=%2F', '["game_started", "game_ended"]', 's3cr3t-not-real', 'sf', '2025-10-14 23:10:05.000000'),
('wh_6b0c9e', 'http://192.0.2.10:8123/api/webhook/xyz', '[]', '', NULL, '2025-10-15 00:00:00.000000'),
('wh_7aa001', 'https://example.org/äöü', '["score_changed"]', 'f00', 'dal', '2025-10-15 07:08:09.101112');
INSERT INTO user_preferences VALUES
('default', '["sf", "dal"]', '{"game_start": true, "score": {"min_diff": 3, "quiet": null}, "sound": "🏈"}', '2025-10-16 12:00:00.000000'),
('guest', '[]', '{}', '2025-10-16 12:00:01.500000');
