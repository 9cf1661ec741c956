"""What Home Assistant's registries hold: one immutable row type for each, and how a row is read from a message.

The field names are Home Assistant's. A type annotation says what a field may hold; the store makes a column of it. What
a release adds, and what is not of the type that it used to be, is kept under its key in `extra`, so nothing is lost and
nothing fails. The shapes were recorded from Home Assistant 2026.11.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

type Payload = Mapping[str, Any]


class Area(NamedTuple):
    area_id: str
    name: str | None
    floor_id: str | None
    icon: str | None
    picture: str | None
    humidity_entity_id: str | None
    temperature_entity_id: str | None
    aliases: list[str] | None
    labels: list[str] | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Floor(NamedTuple):
    floor_id: str
    name: str | None
    level: int | None
    icon: str | None
    aliases: list[str] | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Label(NamedTuple):
    label_id: str
    name: str | None
    color: str | None
    icon: str | None
    description: str | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Category(NamedTuple):
    """Home Assistant lists categories by scope; the scope is not in its rows."""

    category_id: str
    scope: str | None
    name: str | None
    icon: str | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class ConfigEntry(NamedTuple):
    entry_id: str
    domain: str | None
    title: str | None
    source: str | None
    disabled_by: str | None
    supports_options: bool | None
    supports_remove_device: bool | None
    supports_unload: bool | None
    supports_reconfigure: bool | None
    supported_subentry_types: dict[str, Any] | None
    num_subentries: int | None
    pref_disable_new_entities: bool | None
    pref_disable_polling: bool | None
    state: str | None
    reason: str | None
    error_reason_translation_domain: str | None
    error_reason_translation_key: str | None
    error_reason_translation_placeholders: dict[str, Any] | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Device(NamedTuple):
    """A child device has a parent_device_id and only half of the fields."""

    id: str
    name: str | None
    name_by_user: str | None
    next_name_part: str | None
    manufacturer: str | None
    model: str | None
    model_id: str | None
    hw_version: str | None
    sw_version: str | None
    serial_number: str | None
    area_id: str | None
    config_entry_id: str | None
    config_subentry_id: str | None
    parent_device_id: str | None
    via_device_id: str | None
    entry_type: str | None
    disabled_by: str | None
    configuration_url: str | None
    labels: list[str] | None
    identifiers: list[list[str]] | None
    connections: list[list[str]] | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Entity(NamedTuple):
    """`id` stays when the entity is renamed; `entity_id` is its address; `unique_id` is the platform's."""

    id: str
    entity_id: str | None
    unique_id: str | None
    platform: str | None
    name: str | None
    original_name: str | None
    next_name_part: str | None
    translation_key: str | None
    device_id: str | None
    area_id: str | None
    config_entry_id: str | None
    config_subentry_id: str | None
    entity_category: str | None
    device_class: str | None
    original_device_class: str | None
    icon: str | None
    original_icon: str | None
    disabled_by: str | None
    hidden_by: str | None
    labels: list[str] | None
    aliases: list[str | None] | None
    categories: dict[str, Any] | None
    capabilities: dict[str, Any] | None
    options: dict[str, Any] | None
    created_at: float | None
    modified_at: float | None
    extra: dict[str, Any]


class Webhook(NamedTuple):
    """An inbound webhook. Whoever knows its id can call it, so only a keyed hash of the id is kept."""

    webhook_hash: str
    domain: str | None
    name: str | None
    local_only: bool | None
    allowed_methods: list[str] | None
    extra: dict[str, Any]


type Entry = Area | Floor | Label | Category | ConfigEntry | Device | Entity | Webhook


@dataclass(frozen=True)
class Registry:
    """One of Home Assistant's registries.

    name: of the table, and of the registry in the history.
    key: the field that identifies an entry for ever.
    sets: lists that Home Assistant makes from sets, so their order says nothing; they are kept sorted.
    volatile: fields that change without anybody having changed something; current, and without history.
    address: a field that no two entries have at the same time.
    """

    name: str
    entry: type[Entry]
    key: str
    sets: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()
    address: str | None = None

    @property
    def make(self) -> Callable[..., Entry]:
        """The entry of these fields, in their order or by name."""
        return self.entry

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return self.entry._fields

    @cached_property
    def kinds(self) -> dict[str, object]:
        """Field → str, int, float, bool, list[str], list or dict."""
        return {name: _kind(hint) for name, hint in get_type_hints(self.entry).items()}

    @cached_property
    def key_position(self) -> int:
        return self.fields.index(self.key)

    @cached_property
    def _readers(self) -> tuple[tuple[str, frozenset[type], Callable[[Any], Any] | None], ...]:
        return tuple(
            (name, _accepted(self.kinds[name]), self._arranged(name)) for name in self.fields if name != "extra"
        )

    def _arranged(self, name: str) -> Callable[[Any], Any] | None:
        """What is done to a value of the right type; it raises ValueError where no column can hold the value."""
        kind = self.kinds[name]
        if kind == list[str]:
            return _sorted_texts if name in self.sets else _texts
        if name in self.sets:
            return _sorted
        return {float: float, int: _int64, dict: _object, list: _list}.get(kind)  # type: ignore[call-overload, no-any-return]

    def read(self, payload: Payload, before: Entry | None = None) -> Entry:
        """The entry in a message. Raises ValueError where there is no key.

        A key that the message lacks keeps the value of `before`: no source tells of everything, and what it is silent
        about has not changed.
        """
        values: list[Any] = []
        odd: dict[str, Any] = {}
        found = 0
        for position, (name, accepted, arrange) in enumerate(self._readers):
            if name in payload:
                found += 1
                value = payload[name]
                if type(value) not in accepted:
                    odd[name] = value
                    value = None
                elif arrange is not None and value is not None:
                    try:
                        value = arrange(value)
                    except ValueError:
                        odd[name] = value
                        value = None
            else:
                value = None if before is None else before[position]
            values.append(value)
        extra = {} if before is None else {name: old for name, old in before.extra.items() if name not in payload}
        if found != len(payload):
            extra |= {name: payload[name] for name in payload if name not in self._known}
        extra |= odd
        if type(values[self.key_position]) is not str:
            raise ValueError(f"an entry of {self.name} without {self.key}")
        return self.make(*values, extra=extra or _NO_OBJECT)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in self._readers)

    def key_of(self, entry: Entry) -> str:
        return entry[self.key_position]  # type: ignore[return-value]

    def address_of(self, entry: Entry) -> str | None:
        return None if self.address is None else getattr(entry, self.address)


# What an integration supports is known only while its code is loaded: after each start it is false for a moment.
_CONFIG_ENTRY_VOLATILE = frozenset(
    {
        "supports_options",
        "supports_remove_device",
        "supports_unload",
        "supports_reconfigure",
        "supported_subentry_types",
        "state",
        "reason",
        "error_reason_translation_domain",
        "error_reason_translation_key",
        "error_reason_translation_placeholders",
    }
)

FLOORS = Registry("floors", Floor, "floor_id", sets=frozenset({"aliases"}))
AREAS = Registry("areas", Area, "area_id", sets=frozenset({"aliases", "labels"}))
LABELS = Registry("labels", Label, "label_id")
CATEGORIES = Registry("categories", Category, "category_id")
CONFIG_ENTRIES = Registry("config_entries", ConfigEntry, "entry_id", volatile=_CONFIG_ENTRY_VOLATILE)
DEVICES = Registry("devices", Device, "id", sets=frozenset({"labels", "identifiers", "connections"}))
ENTITIES = Registry("entities", Entity, "id", sets=frozenset({"labels"}), address="entity_id")
WEBHOOKS = Registry("webhooks", Webhook, "webhook_hash", sets=frozenset({"allowed_methods"}))

# In the order in which a person would read them: what others refer to comes first.
REGISTRIES = (FLOORS, AREAS, LABELS, CATEGORIES, CONFIG_ENTRIES, DEVICES, ENTITIES, WEBHOOKS)
BY_NAME = {registry.name: registry for registry in REGISTRIES}


def _kind(hint: object) -> object:
    """The annotation without None: str, int, float, bool, list[str], list or dict."""
    if isinstance(hint, UnionType):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    origin = get_origin(hint)
    if origin is list:
        (item,) = get_args(hint)
        return list[str] if _kind(item) is str else list
    return origin or hint


def _accepted(kind: object) -> frozenset[type]:
    if kind is float:
        return frozenset({float, int, NoneType})
    plain = list if kind == list[str] else kind
    return frozenset({plain, NoneType})  # type: ignore[arg-type]


# Entries are never changed, so all that have nothing may have the same nothing: of fifty thousand entities it would be
# a quarter of a million objects for the garbage collector.
_NO_OBJECT: dict[str, Any] = {}
_NO_LIST: list[Any] = []


def _object(value: dict[str, Any]) -> dict[str, Any]:
    return value or _NO_OBJECT


def _list(items: list[Any]) -> list[Any]:
    return items or _NO_LIST


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(items, key=json.dumps) if len(items) > 1 else _list(items)


def _texts(items: list[Any]) -> list[Any]:
    if not items:
        return _NO_LIST
    if all(item is None or type(item) is str for item in items):
        return items
    raise ValueError("a list of texts holds something else")


def _sorted_texts(items: list[Any]) -> list[Any]:
    return _sorted(_texts(items))


def _int64(number: int) -> int:
    if -(2**63) <= number < 2**63:
        return number
    raise ValueError("a number beyond 64 bits")
