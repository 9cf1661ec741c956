"""What is in a simulated home, and everything that can happen to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import orjson

_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORT_KEYS = 21  # of an entity's 26: what the listing tells


class Row(dict[str, Any]):
    """An entry of a registry, with its JSON for as long as nothing changes."""

    __slots__ = ("_long", "_short")

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self._long: bytes | None = None
        self._short: bytes | None = None

    def change(self, values: dict[str, Any]) -> None:
        self.update(values)
        self._long = self._short = None

    def long(self) -> bytes:
        if self._long is None:
            self._long = orjson.dumps(dict(self))
        return self._long

    def short(self) -> bytes:
        if self._short is None:
            self._short = orjson.dumps(dict(islice(self.items(), _SHORT_KEYS)))
        return self._short


class Registries:
    """What the home has, and everything that can happen to it. Operations fire the events that the real ones fire."""

    def __init__(self, *, seed: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.floors: dict[str, Row] = {}
        self.areas: dict[str, Row] = {}
        self.labels: dict[str, Row] = {}
        self.categories: dict[str, dict[str, Row]] = {}
        self.config_entries: dict[str, Row] = {}
        self.devices: dict[str, Row] = {}
        self.children: dict[str, Row] = {}
        self.entities: dict[str, Row] = {}
        self.webhooks: dict[str, Row] = {}
        self.addresses: dict[str, Row] = {}
        self.changes = 0
        self._random = random.Random(seed)
        self._clock = clock
        self._last = 0.0

    def fire(self, event_type: str, **data: Any) -> None:
        """Nobody listens to registries without a home."""

    def fire_config_entry(self, kind: str, row: Row) -> None:
        """Config entries have a subscription of their own."""

    def snapshot(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Registry → key → row, as a copy. Categories carry their scope, which Home Assistant's rows do not."""
        scoped = {key: Row(**row, scope=scope) for scope, rows in self.categories.items() for key, row in rows.items()}
        everything = {
            "floors": self.floors,
            "areas": self.areas,
            "labels": self.labels,
            "categories": scoped,
            "config_entries": self.config_entries,
            "devices": self.devices | self.children,
            "entities": self.entities,
            "webhooks": self.webhooks,
        }
        return {name: {key: orjson.loads(row.long()) for key, row in rows.items()} for name, rows in everything.items()}

    def _now(self) -> float:
        self._last = max(self._clock(), self._last + 1e-5)
        return self._last

    def _hex(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _ulid(self) -> str:
        return "".join(self._random.choices(_ULID, k=26))

    def _change(self, row: Row, values: dict[str, Any]) -> dict[str, Any]:
        """Write what differs, and return the old values of it; where nothing differs, nothing happens."""
        old = {name: row[name] for name, value in values.items() if row[name] != value}
        if old:
            row.change({name: values[name] for name in old} | {"modified_at": self._now()})
            self.changes += 1
        return old

    # -- floors, areas, labels, categories -----------------------------------------------------------------------------

    def create_floor(self, name: str, **values: Any) -> str:
        now, floor_id = self._now(), self._slug(name, self.floors)
        base = {"aliases": [], "created_at": now, "floor_id": floor_id, "icon": None, "level": None, "name": name}
        self.floors[floor_id] = Row(**(base | values), modified_at=now)
        self.fire("floor_registry_updated", action="create", floor_id=floor_id)
        return floor_id

    def update_floor(self, floor_id: str, **values: Any) -> None:
        if self._change(self.floors[floor_id], values):
            self.fire("floor_registry_updated", action="update", floor_id=floor_id)

    def reorder_floors(self) -> None:
        self.floors = dict(reversed(self.floors.items()))
        self.fire("floor_registry_updated", action="reorder")

    def remove_floor(self, floor_id: str) -> None:
        del self.floors[floor_id]
        self.fire("floor_registry_updated", action="remove", floor_id=floor_id)
        for area_id, row in self.areas.items():
            if row["floor_id"] == floor_id:
                self.update_area(area_id, floor_id=None)

    def create_area(self, name: str, **values: Any) -> str:
        now, area_id = self._now(), self._slug(name, self.areas)
        base = {"aliases": [], "area_id": area_id, "floor_id": None, "humidity_entity_id": None, "icon": None}
        base |= {"labels": [], "name": name, "picture": None, "temperature_entity_id": None}
        self.areas[area_id] = Row(**(base | values), created_at=now, modified_at=now)
        self.fire("area_registry_updated", action="create", area_id=area_id)
        return area_id

    def update_area(self, area_id: str, **values: Any) -> None:
        if self._change(self.areas[area_id], values):
            self.fire("area_registry_updated", action="update", area_id=area_id)

    def reorder_areas(self) -> None:
        self.areas = dict(reversed(self.areas.items()))
        self.fire("area_registry_updated", action="reorder", area_id=None)

    def remove_area(self, area_id: str) -> None:
        """What is in the area leaves it before it goes."""
        for device_id, row in self._all_devices():
            if row["area_id"] == area_id:
                self.update_device(device_id, area_id=None)
        for row in self.entities.values():
            if row["area_id"] == area_id:
                self.update_entity(row["id"], area_id=None)
        del self.areas[area_id]
        self.fire("area_registry_updated", action="remove", area_id=area_id)

    def create_label(self, name: str, **values: Any) -> str:
        now, label_id = self._now(), self._slug(name, self.labels)
        base = {"color": None, "created_at": now, "description": None, "icon": None, "label_id": label_id, "name": name}
        self.labels[label_id] = Row(**(base | values), modified_at=now)
        self.fire("label_registry_updated", action="create", label_id=label_id)
        return label_id

    def update_label(self, label_id: str, **values: Any) -> None:
        if self._change(self.labels[label_id], values):
            self.fire("label_registry_updated", action="update", label_id=label_id)

    def remove_label(self, label_id: str) -> None:
        del self.labels[label_id]
        self.fire("label_registry_updated", action="remove", label_id=label_id)
        for update, rows in (
            (self.update_area, self.areas.items()),
            (self.update_device, self._all_devices()),
            (self.update_entity, self.entities.items()),
        ):
            for key, row in rows:
                if label_id in row["labels"]:
                    update(key, labels=[label for label in row["labels"] if label != label_id])

    def create_category(self, scope: str, name: str, icon: str | None = None) -> str:
        now, category_id = self._now(), self._ulid()
        row = Row(category_id=category_id, created_at=now, icon=icon, modified_at=now, name=name)
        self.categories.setdefault(scope, {})[category_id] = row
        self.fire("category_registry_updated", action="create", scope=scope, category_id=category_id)
        return category_id

    def update_category(self, scope: str, category_id: str, **values: Any) -> None:
        if self._change(self.categories[scope][category_id], values):
            self.fire("category_registry_updated", action="update", scope=scope, category_id=category_id)

    def remove_category(self, scope: str, category_id: str) -> None:
        del self.categories[scope][category_id]
        self.fire("category_registry_updated", action="remove", scope=scope, category_id=category_id)
        for row in self.entities.values():
            if row["categories"].get(scope) == category_id:
                kept = {name: value for name, value in row["categories"].items() if name != scope}
                self.update_entity(row["id"], categories=kept)

    def _slug(self, name: str, taken: Iterable[str]) -> str:
        slug = "".join(letter if letter.isalnum() else "_" for letter in name.lower())
        number = 2
        found = slug
        while found in taken:
            found, number = f"{slug}_{number}", number + 1
        return found

    # -- config entries ------------------------------------------------------------------------------------------------

    def create_config_entry(self, domain: str, title: str | None = None) -> str:
        now, entry_id = self._now(), self._ulid()
        reasons = ("reason", *(f"error_reason_translation_{name}" for name in ("domain", "key", "placeholders")))
        row = Row(
            created_at=now,
            entry_id=entry_id,
            domain=domain,
            modified_at=now,
            title=title or domain.title(),
            source="user",
            state="loaded",
            supports_options=True,
            supports_remove_device=False,
            supports_unload=True,
            supports_reconfigure=False,
            supported_subentry_types={},
            pref_disable_new_entities=False,
            pref_disable_polling=False,
            disabled_by=None,
            **dict.fromkeys(reasons),
            num_subentries=0,
        )
        self.config_entries[entry_id] = row
        self.fire_config_entry("added", row)
        return entry_id

    def update_config_entry(self, entry_id: str, **values: Any) -> None:
        if self._change(self.config_entries[entry_id], values):
            self.fire_config_entry("updated", self.config_entries[entry_id])

    def set_state(self, entry_id: str, state: str, reason: str | None = None) -> None:
        """A state comes and goes by itself, and modified_at does not follow."""
        row = self.config_entries[entry_id]
        row.change({"state": state, "reason": reason})
        self.fire_config_entry("updated", row)

    def disable_config_entry(self, entry_id: str, disabled_by: str | None = "user") -> None:
        self.update_config_entry(entry_id, disabled_by=disabled_by, state="not_loaded" if disabled_by else "loaded")
        before, after = (None, "config_entry") if disabled_by else ("config_entry", None)
        for device_id, row in self._all_devices():
            if row["config_entry_id"] == entry_id and row["disabled_by"] == before:
                self._update_device(device_id, {"disabled_by": after}, follow="config_entry")

    def remove_config_entry(self, entry_id: str) -> None:
        self.set_state(entry_id, "not_loaded")
        row = self.config_entries.pop(entry_id)
        for device_id, device in self._all_devices():
            if device["config_entry_id"] == entry_id and (device_id in self.devices or device_id in self.children):
                self.remove_device(device_id)
        for entity in list(self.entities.values()):
            if entity["config_entry_id"] == entry_id:
                self.remove_entity(entity["id"])
        self.fire_config_entry("removed", row)

    # -- devices -------------------------------------------------------------------------------------------------------

    def create_device(self, entry_id: str, name: str, *, parent: str | None = None, **values: Any) -> str:
        device_id = self._hex()
        make = self._main_device if parent is None else self._child_device
        row = make(device_id, entry_id, name, self._now())
        row.change(values if parent is None else values | {"parent_device_id": parent})
        (self.devices if parent is None else self.children)[device_id] = row
        self.fire("device_registry_updated", action="create", device_id=device_id)
        return device_id

    @staticmethod
    def _main_device(device_id: str, entry_id: str, name: str, now: float) -> Row:
        return Row(
            area_id=None,
            configuration_url=None,
            config_entries=[entry_id],
            config_entries_subentries={entry_id: [None]},
            config_entry_id=entry_id,
            config_subentry_id=None,
            connections=[["mac", device_id[:12]]],
            created_at=now,
            disabled_by=None,
            entry_type=None,
            hw_version="1",
            id=device_id,
            identifiers=[["simulated", device_id[:16]]],
            labels=[],
            manufacturer="Simulated",
            model="Box",
            model_id="SIM-1",
            modified_at=now,
            name_by_user=None,
            name=name,
            next_name_part=None,
            parent_device_id=None,
            primary_config_entry=entry_id,
            serial_number=device_id[-8:],
            sw_version="2.0",
            via_device_id=None,
        )

    @staticmethod
    def _child_device(device_id: str, entry_id: str, name: str, now: float) -> Row:
        return Row(
            area_id=None,
            config_entry_id=entry_id,
            config_subentry_id=None,
            created_at=now,
            disabled_by=None,
            id=device_id,
            identifiers=[["simulated", f"outlet_{device_id[:8]}"]],
            labels=[],
            modified_at=now,
            name_by_user=None,
            name=name,
            next_name_part="parent_device",
            parent_device_id=None,
        )

    def update_device(self, device_id: str, **values: Any) -> None:
        """Entities follow their device when it is disabled or enabled."""
        self._update_device(device_id, values, follow="device")

    def _update_device(self, device_id: str, values: dict[str, Any], follow: str) -> None:
        row = self._device(device_id)
        old = self._change(row, values)
        if not old:
            return
        self.fire("device_registry_updated", action="update", device_id=device_id, changes=old)
        if "disabled_by" in old:
            before, after = (None, follow) if row["disabled_by"] else (follow, None)
            for entity in self.entities.values():
                if entity["device_id"] == device_id and entity["disabled_by"] == before:
                    self.update_entity(entity["id"], disabled_by=after)

    def remove_device(self, device_id: str) -> None:
        """Children go before their parent, a device before its entities; whoever was connected through it stays."""
        for child_id in [key for key, row in self.children.items() if row["parent_device_id"] == device_id]:
            self.remove_device(child_id)
        row = self._device(device_id)
        self.devices.pop(device_id, None)
        self.children.pop(device_id, None)
        for other_id, other in list(self.devices.items()):
            if other["via_device_id"] == device_id:
                self.update_device(other_id, via_device_id=None)
        self.fire("device_registry_updated", action="remove", device_id=device_id, device=dict(row))
        for entity in list(self.entities.values()):
            if entity["device_id"] == device_id:
                self.remove_entity(entity["id"])

    def _device(self, device_id: str) -> Row:
        return self.devices.get(device_id) or self.children[device_id]

    def _all_devices(self) -> list[tuple[str, Row]]:
        return [*self.devices.items(), *self.children.items()]

    # -- entities ------------------------------------------------------------------------------------------------------

    def create_entity(self, entity_id: str, *, device: str | None = None, **values: Any) -> str:
        """Returns the registry id, which stays; entity_id is only its address."""
        now, key = self._now(), self._hex()
        owner = self._device(device)["config_entry_id"] if device else None
        row = self._entity(key, entity_id, owner, device, now)
        row.change(values)
        self.entities[key] = self.addresses[entity_id] = row
        self.fire("entity_registry_updated", action="create", entity_id=entity_id)
        return key

    @staticmethod
    def _entity(key: str, entity_id: str, entry_id: str | None, device_id: str | None, now: float) -> Row:
        return Row(
            area_id=None,
            categories={},
            config_entry_id=entry_id,
            config_subentry_id=None,
            created_at=now,
            device_id=device_id,
            disabled_by=None,
            entity_category=None,
            entity_id=entity_id,
            hidden_by=None,
            icon=None,
            id=key,
            labels=[],
            modified_at=now,
            name=None,
            next_name_part="device" if device_id else None,
            options={"conversation": {"should_expose": True}},
            original_name=entity_id.partition(".")[2].replace("_", " ").title(),
            platform="simulated",
            translation_key=None,
            unique_id=f"simulated-{key[:12]}",
            aliases=[None],
            capabilities={"state_class": "measurement"},
            device_class=None,
            original_device_class="temperature",
            original_icon=None,
        )

    def update_entity(self, key: str, **values: Any) -> None:
        row = self.entities[key]
        if old := self._change(row, values):
            self.fire("entity_registry_updated", action="update", entity_id=row["entity_id"], changes=old)

    def rename_entity(self, key: str, entity_id: str) -> None:
        """Give it another address; who is there already must have left before."""
        row = self.entities[key]
        old = row["entity_id"]
        if entity_id in self.addresses:
            raise ValueError(f"{entity_id} is taken")
        self._change(row, {"entity_id": entity_id})
        del self.addresses[old]
        self.addresses[entity_id] = row
        changes = {"entity_id": old}
        self.fire("entity_registry_updated", action="update", entity_id=entity_id, changes=changes, old_entity_id=old)

    def swap_entities(self, one: str, other: str) -> None:
        first, second = self.entities[one]["entity_id"], self.entities[other]["entity_id"]
        self.rename_entity(one, f"{first}_on_its_way")
        self.rename_entity(other, first)
        self.rename_entity(one, second)

    def remove_entity(self, key: str) -> None:
        row = self.entities.pop(key)
        del self.addresses[row["entity_id"]]
        self.changes += 1
        self.fire("entity_registry_updated", action="remove", entity_id=row["entity_id"])

    def recreate_entity(self, key: str) -> str:
        """Another entity at the same address."""
        row = self.entities[key]
        self.remove_entity(key)
        return self.create_entity(row["entity_id"], device=row["device_id"])

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def create_webhook(self, webhook_id: str, name: str, **values: Any) -> None:
        """No event tells of webhooks."""
        base = {"webhook_id": webhook_id, "domain": "automation", "name": name, "local_only": True}
        self.webhooks[webhook_id] = Row(**(base | {"allowed_methods": ["POST", "PUT"]} | values))

    def remove_webhook(self, webhook_id: str) -> None:
        del self.webhooks[webhook_id]

    # -- many at once --------------------------------------------------------------------------------------------------

    def fill(self, devices: int, entities: int) -> None:
        """A home of that size. Each tenth device is the child of another; entities are spread over the devices."""
        floors = [self.create_floor(f"Floor {number}", level=number - 1) for number in range(3)]
        areas = [self.create_area(f"Room {number}", floor_id=floors[number % 3]) for number in range(20)]
        labels = [self.create_label(f"Label {number}", color="red") for number in range(5)]
        category = self.create_category("automation", "Safety", "mdi:shield")
        entries = [self.create_config_entry(f"domain_{number}") for number in range(max(3, devices // 200))]
        mains: list[str] = []
        owners: list[str] = []
        for number in range(devices):
            entry, parent = entries[number % len(entries)], None
            if number % 10 == 9:
                parent, entry = mains[-1], self.devices[mains[-1]]["config_entry_id"]
            kept = {"area_id": areas[number % 20], "labels": labels[: number % 3]}
            owners.append(self.create_device(entry, f"Device {number}", parent=parent, **kept))
            if parent is None:
                mains.append(owners[-1])
        domains = ("sensor", "switch", "light", "binary_sensor", "automation")
        for number in range(entities):
            values: dict[str, Any] = {"labels": labels[: number % 2]}
            domain = domains[number % 5]
            if domain == "automation" and number % 50 == 4:
                values["categories"] = {"automation": category}
            owner = owners[number % devices] if devices else None
            self.create_entity(f"{domain}.thing_{number}", device=owner, **values)
        for number in range(2):
            self.create_webhook(f"secret-webhook-{number}", f"Webhook {number}", local_only=number == 0)
        for row in (*self.devices.values(), *self.children.values(), *self.entities.values()):
            row.long()
        for row in self.entities.values():
            row.short()
