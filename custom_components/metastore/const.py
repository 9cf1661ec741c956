"""Names and defaults, each with its unit."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "metastore"

CONF_SOURCE: Final = "source"  # SOURCE_THIS or SOURCE_ANOTHER
CONF_USER_ID: Final = "user_id"  # of the system user, where the source is this Home Assistant
CONF_HOME_ID: Final = "home_id"
CONF_ENTRY_IDS: Final = "entry_ids"  # of the instance's config entries when it was added, by which it is recognised
CONF_DATABASE_URL: Final = "database_url"
CONF_RETENTION_DAYS: Final = "retention_days"
CONF_POLL_INTERVAL_S: Final = "poll_interval_s"

SOURCE_THIS: Final = "this"
SOURCE_ANOTHER: Final = "another"

DEFAULT_DATABASE_URL: Final = "sqlite:///metastore.db"  # below the configuration directory
DEFAULT_RETENTION_DAYS: Final = 365
DEFAULT_POLL_INTERVAL_S: Final = 300

SERVICE_SYNC: Final = "sync"
ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
