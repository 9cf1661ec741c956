"""Homes, their registries, and the history."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text()
NUMBER = sa.BigInteger()
SECONDS: sa.Double[float] = sa.Double()
SWITCH = sa.Boolean(create_constraint=False)
TEXTS = sa.Text().with_variant(postgresql.ARRAY(sa.Text()), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

REGISTRIES: dict[str, dict[str, Any]] = {
    "floors": {
        "floor_id": TEXT, "name": TEXT, "level": NUMBER, "icon": TEXT, "aliases": TEXTS, "created_at": SECONDS,
        "modified_at": SECONDS,
    },
    "areas": {
        "area_id": TEXT, "name": TEXT, "floor_id": TEXT, "icon": TEXT, "picture": TEXT, "humidity_entity_id": TEXT,
        "temperature_entity_id": TEXT, "aliases": TEXTS, "labels": TEXTS, "created_at": SECONDS,
        "modified_at": SECONDS,
    },
    "labels": {
        "label_id": TEXT, "name": TEXT, "color": TEXT, "icon": TEXT, "description": TEXT, "created_at": SECONDS,
        "modified_at": SECONDS,
    },
    "categories": {
        "category_id": TEXT, "scope": TEXT, "name": TEXT, "icon": TEXT, "created_at": SECONDS, "modified_at": SECONDS,
    },
    "config_entries": {
        "entry_id": TEXT, "domain": TEXT, "title": TEXT, "source": TEXT, "disabled_by": TEXT,
        "supports_options": SWITCH, "supports_remove_device": SWITCH, "supports_unload": SWITCH,
        "supports_reconfigure": SWITCH, "supported_subentry_types": JSON, "num_subentries": NUMBER,
        "pref_disable_new_entities": SWITCH, "pref_disable_polling": SWITCH, "state": TEXT, "reason": TEXT,
        "error_reason_translation_domain": TEXT, "error_reason_translation_key": TEXT,
        "error_reason_translation_placeholders": JSON, "created_at": SECONDS, "modified_at": SECONDS,
    },
    "devices": {
        "id": TEXT, "name": TEXT, "name_by_user": TEXT, "next_name_part": TEXT, "manufacturer": TEXT, "model": TEXT,
        "model_id": TEXT, "hw_version": TEXT, "sw_version": TEXT, "serial_number": TEXT, "area_id": TEXT,
        "config_entry_id": TEXT, "config_subentry_id": TEXT, "parent_device_id": TEXT, "via_device_id": TEXT,
        "entry_type": TEXT, "disabled_by": TEXT, "configuration_url": TEXT, "labels": TEXTS, "identifiers": JSON,
        "connections": JSON, "created_at": SECONDS, "modified_at": SECONDS,
    },
    "entities": {
        "id": TEXT, "entity_id": TEXT, "unique_id": TEXT, "platform": TEXT, "name": TEXT, "original_name": TEXT,
        "next_name_part": TEXT, "translation_key": TEXT, "device_id": TEXT, "area_id": TEXT, "config_entry_id": TEXT,
        "config_subentry_id": TEXT, "entity_category": TEXT, "device_class": TEXT, "original_device_class": TEXT,
        "icon": TEXT, "original_icon": TEXT, "disabled_by": TEXT, "hidden_by": TEXT, "labels": TEXTS, "aliases": TEXTS,
        "categories": JSON, "capabilities": JSON, "options": JSON, "created_at": SECONDS, "modified_at": SECONDS,
    },
    "webhooks": {
        "webhook_hash": TEXT, "domain": TEXT, "name": TEXT, "local_only": SWITCH, "allowed_methods": TEXTS,
    },
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "homes",
        sa.Column("home_id", TEXT, nullable=False),
        sa.Column("name", TEXT),
        sa.Column("version", TEXT),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("history_from", SECONDS, nullable=False),
        sa.Column("removed_at", SECONDS),
        sa.PrimaryKeyConstraint("home_id", name="homes_pkey"),
    )
    for name, columns in REGISTRIES.items():
        key = next(iter(columns))
        _create(
            name,
            key,
            *(sa.Column(column, kind, nullable=column != key) for column, kind in columns.items()),
            sa.Column("extra", JSON, nullable=False),
            sa.Column("removed_at", SECONDS),
        )
    _create(
        "syncs",
        "id",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("started_at", SECONDS, nullable=False),
        sa.Column("duration_s", SECONDS, nullable=False),
        sa.Column("created", NUMBER, nullable=False),
        sa.Column("updated", NUMBER, nullable=False),
        sa.Column("removed", NUMBER, nullable=False),
        sa.Column("error", TEXT),
    )
    _create(
        "changes",
        "id",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("sync_id", NUMBER, nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.Column("registry", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("fields", JSON, nullable=False),
    )
    for table, indexed in (
        ("devices", ("home_id", "area_id")),
        ("entities", ("home_id", "area_id")),
        ("entities", ("home_id", "device_id")),
        ("changes", ("home_id", "registry", "object_id", "at")),
        ("changes", ("home_id", "at")),
    ):
        op.create_index(f"{table}_{'_'.join(indexed)}_idx", table, indexed)
    live = sa.text("removed_at IS NULL")
    op.create_index(
        "entities_live_entity_id",
        "entities",
        ("home_id", "entity_id"),
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _create(name: str, key: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("home_id", TEXT, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("home_id", key, name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["home_id"], ["homes.home_id"], name=f"{name}_home_id_fkey"),
    )
