"""(stored, listed) → what changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .entries import Entry, Payload, Registry
from .jsontext import dumps


class Action(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"


type Fields = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry's way from `before` to `after`; None where it is not there."""

    registry: Registry
    before: Entry | None
    after: Entry | None

    @property
    def entry(self) -> Entry:
        """The entry as it is now, or as it was last."""
        entry = self.after if self.after is not None else self.before
        assert entry is not None
        return entry

    @property
    def key(self) -> str:
        return self.registry.key_of(self.entry)

    @property
    def action(self) -> Action:
        if self.before is None:
            return Action.CREATED
        return Action.REMOVED if self.after is None else Action.UPDATED

    def fields(self) -> Fields:
        """Field → (old, new) of what differs, without the volatile ones; empty where nothing else has changed."""
        volatile = self.registry.volatile
        if self.before is None:
            new = zip(self.registry.fields, self.entry, strict=True)
            return {name: (None, value) for name, value in new if value is not None and name not in volatile}
        pairs = zip(
            self.registry.fields,
            self.before,
            self.after or (None,) * len(self.registry.fields),
            strict=True,
        )
        return {name: (old, new) for name, old, new in pairs if name not in volatile and _differ(old, new)}


def diff(registry: Registry, stored: Mapping[str, Entry], listed: Iterable[Payload], *, complete: bool) -> list[Change]:
    """What has to be written so that `stored` is what was listed.

    `complete` says that the listing holds every entry of a home that is up and running, so what it lacks is gone.
    Where one key is listed twice, the last one counts. Entries without a key, and those at an address that another one
    still has, are left out.
    """
    found: dict[str, Entry] = {}
    changes: dict[str, Change] = {}
    for payload in listed:
        key = payload.get(registry.key)
        before = stored.get(key) if isinstance(key, str) else None
        try:
            after = registry.read(payload, before)
        except ValueError:
            continue
        found[registry.key_of(after)] = after
    for key, after in found.items():
        before = stored.get(key)
        if before != after:
            changes[key] = Change(registry, before, after)
    if complete:
        changes |= {key: Change(registry, entry, None) for key, entry in stored.items() if key not in found}
    if registry.address:
        _drop_contested(registry, stored, changes)
    return list(changes.values())


def outdated(
    registry: Registry, stored: Mapping[str, Entry], listed: Iterable[Payload]
) -> tuple[list[Payload], set[str]]:
    """The rows that say something else than what is stored, and the keys of stored entries that were not listed.

    Nothing is made of a row that is not stored yet: that is for whoever has its whole form.
    """
    differing: list[Payload] = []
    missing = set(stored)
    for payload in listed:
        if isinstance(key := payload.get(registry.key), str):
            missing.discard(key)
            before = stored.get(key)
            if before is None or registry.read(payload, before) != before:
                differing.append(payload)
    return differing, missing


def _drop_contested(registry: Registry, stored: Mapping[str, Entry], changes: dict[str, Change]) -> None:
    """Leave out what would take an address that another entry still has.

    A home that is not settled has newcomers at the addresses of what it has not loaded; later it knows better.
    """
    while True:
        held = {registry.address_of(entry) for key, entry in stored.items() if key not in changes}
        contested = [
            key for key, change in changes.items() if change.after and registry.address_of(change.after) in held
        ]
        if not contested:
            return
        for key in contested:
            del changes[key]


def digests(registry: Registry, listed: Iterable[Payload]) -> dict[str, int]:
    """Key → a digest of what was listed for it; where two are equal, nothing has changed."""
    return {key: hash(dumps(row)) for row in listed if isinstance(key := row.get(registry.key), str)}


def _differ(old: object, new: object) -> bool:
    """Python takes 1 and True for equal; inside of options and the like they are two values."""
    if old != new:
        return True
    return isinstance(old, (dict, list)) and json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)


def replay(states: dict[str, dict[str, Any]], key: str, action: Action, fields: Mapping[str, Any]) -> None:
    """Apply one line of the history to the states so far: key → field → value."""
    if action is Action.REMOVED:
        states.pop(key, None)
        return
    state = states.setdefault(key, {})
    state |= {name: new for name, (_, new) in fields.items()}


def undo(state: dict[str, Any] | None, action: Action, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields before one line of the history, from those after it; None where there was no such entry."""
    if action is Action.CREATED:
        return None
    return (state or {}) | {name: old for name, (old, _) in fields.items()}
