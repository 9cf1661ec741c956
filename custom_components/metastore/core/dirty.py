"""What has to be read again, told by events. An event says that something changed, never what is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .entries import AREAS, CATEGORIES, CONFIG_ENTRIES, DEVICES, ENTITIES, FLOORS, LABELS, WEBHOOKS

# Event → the registry that has to be listed again.
EVENTS = {
    "floor_registry_updated": FLOORS.name,
    "area_registry_updated": AREAS.name,
    "label_registry_updated": LABELS.name,
    "category_registry_updated": CATEGORIES.name,
    "device_registry_updated": DEVICES.name,
    "entity_registry_updated": ENTITIES.name,
}
MAX_ENTITIES = 200_000  # more addresses than any home has; whoever sends them gets a listing instead
SCOPES = frozenset({"automation", "script", "scene", "helpers"})  # the frontend's; any text can be one


@dataclass
class Dirty:
    """`registries` to list, `entities` (addresses, entity_id) to get, `scopes` in which there may be categories."""

    registries: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))

    def note(self, event: object) -> None:
        """Take in what a subscription delivered: one event, or the list that config_entries/subscribe sends."""
        if isinstance(event, list):
            self.registries |= {CONFIG_ENTRIES.name, WEBHOOKS.name}
            return
        if not isinstance(event, Mapping):
            return
        registry, data = EVENTS.get(str(event.get("event_type"))), event.get("data")
        if registry is None or not isinstance(data, Mapping):
            return
        if registry == ENTITIES.name:
            self._entity(data)
            return
        if registry == CATEGORIES.name and isinstance(scope := data.get("scope"), str):
            self.scopes.add(scope)
        self.registries.add(registry)

    def _entity(self, data: Mapping[str, Any]) -> None:
        addresses = {value for name in ("entity_id", "old_entity_id") if isinstance(value := data.get(name), str)}
        self.entities |= addresses
        if not addresses or len(self.entities) > MAX_ENTITIES:
            self.registries.add(ENTITIES.name)
            self.entities.clear()

    def scopes_of(self, entities: Iterable[Mapping[str, Any]]) -> None:
        """Entities name the scopes of their categories; a new one has to be listed."""
        named = {
            scope for entity in entities if isinstance(found := entity.get("categories"), Mapping) for scope in found
        }
        if named - self.scopes:
            self.scopes |= named
            self.registries.add(CATEGORIES.name)
