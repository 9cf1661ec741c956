-- Sergas: Alembic 0001–0003 against SQLite. DateTime is written by SQLAlchemy with six fractional digits.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE zoho_tokens (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	token_type VARCHAR(50) NOT NULL, 
	access_token TEXT NOT NULL, 
	refresh_token TEXT NOT NULL, 
	expires_at DATETIME NOT NULL, 
	created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	updated_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	CONSTRAINT uq_zoho_tokens_token_type UNIQUE (token_type)
);

CREATE INDEX idx_token_type ON zoho_tokens (token_type);
CREATE INDEX idx_expires_at ON zoho_tokens (expires_at);

CREATE TABLE token_refresh_audit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	token_id INTEGER, 
	token_type VARCHAR(50) NOT NULL, 
	success BOOLEAN NOT NULL, 
	error_message TEXT, 
	previous_expires_at DATETIME, 
	new_expires_at DATETIME, 
	timestamp DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	CONSTRAINT fk_token_refresh_audit_token_id FOREIGN KEY(token_id) REFERENCES zoho_tokens (id) ON DELETE SET NULL
);

CREATE INDEX idx_audit_success ON token_refresh_audit (success, timestamp);

CREATE TABLE agent_sessions (
	session_id VARCHAR(255) NOT NULL, 
	orchestrator_id VARCHAR(255) NOT NULL, 
	status VARCHAR(20) DEFAULT 'initialized' NOT NULL, 
	session_type VARCHAR(50) NOT NULL, 
	context_snapshot TEXT DEFAULT '{}' NOT NULL, 
	account_ids TEXT DEFAULT '[]' NOT NULL, 
	owner_id VARCHAR(255), 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME, 
	PRIMARY KEY (session_id), 
	CONSTRAINT ck_agent_sessions_status CHECK (status IN ('initialized', 'running', 'paused', 'completed', 'failed'))
);

CREATE INDEX idx_session_status_created ON agent_sessions (status, created_at);
CREATE INDEX idx_session_orchestrator ON agent_sessions (orchestrator_id);
CREATE INDEX idx_session_owner ON agent_sessions (owner_id);
CREATE INDEX idx_session_type ON agent_sessions (session_type);
CREATE INDEX idx_session_updated ON agent_sessions (updated_at DESC);

CREATE TABLE audit_events (
	event_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	session_id VARCHAR(255), 
	event_type VARCHAR(50) NOT NULL, 
	timestamp DATETIME NOT NULL, 
	actor VARCHAR(255) NOT NULL, 
	action VARCHAR(255) NOT NULL, 
	resource VARCHAR(255), 
	event_metadata TEXT, 
	FOREIGN KEY(session_id) REFERENCES agent_sessions (session_id) ON DELETE CASCADE
);

CREATE INDEX idx_audit_session ON audit_events (session_id);
CREATE INDEX idx_audit_type_time ON audit_events (event_type, timestamp DESC);
CREATE INDEX idx_audit_actor ON audit_events (actor);
CREATE INDEX idx_audit_timestamp ON audit_events (timestamp);
CREATE INDEX idx_audit_resource ON audit_events (resource) WHERE resource IS NOT NULL;

CREATE TABLE scheduled_reviews (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	account_id VARCHAR(255) NOT NULL, 
	owner_email VARCHAR(320) COLLATE "NOCASE", 
	cadence VARCHAR(9) NOT NULL, 
	due_date DATE NOT NULL, 
	review_time TIME, 
	weight NUMERIC(5, 2), 
	reviewers TEXT DEFAULT '[]' NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	last_session_id VARCHAR(255), 
	CONSTRAINT uq_review_account_cadence UNIQUE (account_id, cadence), 
	CONSTRAINT cadence CHECK (cadence IN ('daily', 'weekly', 'monthly')), 
	FOREIGN KEY(last_session_id) REFERENCES agent_sessions (session_id) ON DELETE SET NULL
);

INSERT INTO alembic_version VALUES ('0003_scheduled_reviews');
INSERT INTO zoho_tokens VALUES
(1, 'oauth', '1000.4f8a00000000000000000000000000aa.not-a-token', '1000.ffff00000000000000000000000000bb.not-a-token', '2025-10-18 10:30:00.000000', '2025-10-01 08:00:00', '2025-10-18 09:30:00.000000'),
(4, 'sandbox', '1000.0000', '', '2025-10-18 10:30:00.123456', '2025-10-02 08:00:00', '2025-10-18 09:30:00.654321');
INSERT INTO token_refresh_audit VALUES
(1, 1, 'oauth', 1, NULL, '2025-10-18 09:30:00.000000', '2025-10-18 10:30:00.000000', '2025-10-18 09:30:00.004711'),
(2, NULL, 'legacy', 0, 'invalid_grant: "Token verloren" – bitte neu anmelden 🔑', NULL, NULL, '2025-10-18 09:31:00.000000');
INSERT INTO agent_sessions VALUES
('sess-6f9619ff-8b86-d011-b42d-00c04fc964ff', 'orch-main', 'completed', 'scheduled', '{"step": 7, "cost": 0.1, "notes": "Prüfung für Øresund A/S", "nested": {"b": 1, "a": [true, null]}}', '["acc-1", "acc-2"]', 'owner-7', '2025-10-17 06:00:00.000000', '2025-10-17 06:04:59.999999'),
('sess-00000000-0000-4000-8000-000000000001', 'orch-main', 'paused', 'manual', '{}', '[]', NULL, '2025-10-17 23:59:59.999999', NULL),
('sess-00000000-0000-4000-8000-000000000002', 'orch-müller', 'failed', 'manual', '{"error":"Line1\nLine2\ttab","emoji":"\ud83d\ude00"}', '["acc, with comma", "acc \"quoted\"", "{brace}", "NULL", ""]', '', '2025-10-18 00:00:00.000000', '2025-10-18 00:00:01.000000');
INSERT INTO audit_events VALUES
(1, 'sess-6f9619ff-8b86-d011-b42d-00c04fc964ff', 'session.start', '2025-10-17 06:00:00.000000', 'orchestrator', 'start', NULL, '{"trigger": "cron"}'),
(2, 'sess-6f9619ff-8b86-d011-b42d-00c04fc964ff', 'zoho.read', '2025-10-17 06:00:01.250000', 'agent:data-scout', 'read', 'Accounts/acc-1', '{"fields": ["Owner", "Größe"], "ms": 113}'),
(3, NULL, 'system', '2025-10-17 06:00:02.000000', 'system', 'vacuum', '', NULL);
INSERT INTO scheduled_reviews VALUES
(1, 'acc-1', 'Anna.Ångström@example.com', 'weekly', '2025-10-24', '08:30:00.000000', 1.25, '["anna", "bob"]', 1, 'sess-6f9619ff-8b86-d011-b42d-00c04fc964ff'),
(2, 'acc-1', NULL, 'monthly', '2025-11-01', NULL, 100, '[]', 0, NULL);
