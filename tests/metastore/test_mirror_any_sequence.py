"""Any sequence of operations, with disconnections at any point: the database and its history are what the home was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_components.metastore.core.entries import REGISTRIES
from custom_components.metastore.store.store import Store

from .mirrored import (
    ASKED,
    HOME,
    _quiet_engines,  # noqa: F401
    expected_lingering_timers,  # noqa: F401
    mirrored_by,
)
from .readings import Everything, _plain, assert_lives_are_told_once, differences, expected, lasting, replayed, stored
from .simulated_home import SimulatedHome


def nth(rows: Iterable[str], number: int) -> str | None:
    """One of them; which one is said by a number of any size."""
    keys = list(rows)
    return keys[number % len(keys)] if keys else None


def _on(choose: Callable[[SimulatedHome], Iterable[str]], act: Callable[..., object]) -> Callable[..., None]:
    def operation(home: SimulatedHome, one: int, other: int) -> None:
        if (key := nth(choose(home), one)) is not None:
            act(home, key, other)

    return operation


def _swap(home: SimulatedHome, key: str, other: int) -> None:
    if (second := nth(home.entities, other)) != key:
        home.swap_entities(key, str(second))


def _move_to_free_address(home: SimulatedHome, key: str, other: int) -> None:
    """Few addresses, so that they are left and taken again."""
    if (address := f"sensor.place_{other % 4}") not in home.addresses:
        home.rename_entity(key, address)


def _new_entity(home: SimulatedHome, one: int, other: int) -> None:
    if (address := f"sensor.place_{one % 4}") not in home.addresses:
        home.create_entity(address, device=nth(home.devices, other))


def _new_device(home: SimulatedHome, key: str, other: int) -> None:
    parents = [device for device, row in home.devices.items() if row["config_entry_id"] == key]
    home.create_device(key, f"Device {other}", parent=nth(parents, other) if other % 2 else None)


def _remove_config_entry(home: SimulatedHome, key: str, _: int) -> None:
    if len(home.config_entries) > 1:  # without any of the known entries it would be another home
        home.remove_config_entry(key)


# Categories are in scopes that are always asked for: what is made in another one while nobody listens, nobody tells.
ANYTHING: dict[str, Callable[[SimulatedHome, int, int], object]] = {
    "create floor": lambda home, one, other: home.create_floor(f"Floor {one % 3}", level=other % 5),
    "remove floor": _on(lambda home: home.floors, lambda home, key, _: home.remove_floor(key)),
    "create area": lambda home, one, other: home.create_area(f"Room {one % 3}", floor_id=nth(home.floors, other)),
    "remove area": _on(lambda home: home.areas, lambda home, key, _: home.remove_area(key)),
    "create label": lambda home, one, _: home.create_label(f"Label {one % 3}"),
    "remove label": _on(lambda home: home.labels, lambda home, key, _: home.remove_label(key)),
    "create category": lambda home, one, other: home.create_category(("helpers", "scene")[one % 2], f"Name {other}"),
    "create config entry": lambda home, one, _: home.create_config_entry(f"domain_{one % 3}"),
    "disable config entry": _on(
        lambda home: home.config_entries,
        lambda home, key, other: home.disable_config_entry(key, "user" if other % 2 else None),
    ),
    "remove config entry": _on(lambda home: home.config_entries, _remove_config_entry),
    "create device": _on(lambda home: home.config_entries, _new_device),
    "move device": _on(
        lambda home: [*home.devices, *home.children],
        lambda home, key, other: home.update_device(key, area_id=nth(home.areas, other), labels=list(home.labels)),
    ),
    "disable device": _on(
        lambda home: home.devices,
        lambda home, key, other: home.update_device(key, disabled_by=("user", None)[other % 2]),
    ),
    "remove device": _on(lambda home: [*home.devices, *home.children], lambda home, key, _: home.remove_device(key)),
    "create entity": _new_entity,
    "name entity": _on(
        lambda home: home.entities, lambda home, key, other: home.update_entity(key, name=f"Name {other % 3}")
    ),
    "alias entity": _on(
        lambda home: home.entities, lambda home, key, other: home.update_entity(key, aliases=[None, f"{other % 3}"])
    ),
    "rename entity": _on(lambda home: home.entities, _move_to_free_address),
    "swap entities": _on(lambda home: home.entities, _swap),
    "recreate entity": _on(lambda home: home.entities, lambda home, key, _: home.recreate_entity(key)),
    "remove entity": _on(lambda home: home.entities, lambda home, key, _: home.remove_entity(key)),
    "create webhook": lambda home, one, _: home.create_webhook(f"secret-webhook-{one % 3}", f"Name {one % 3}"),
    "remove webhook": _on(lambda home: home.webhooks, lambda home, key, _: home.remove_webhook(key)),
}

OPERATION = st.tuples(st.sampled_from(sorted(ANYTHING)), st.integers(0, 20), st.integers(0, 20))
INTERRUPTION = st.one_of(
    st.none(), st.tuples(st.sampled_from(["drop", "close"]), st.none()), st.tuples(st.just("after"), st.integers(0, 40))
)


@dataclass(frozen=True)
class Step:
    """Operations at once, then an interruption, then operations while the mirror is on its way back or reading."""

    operations: list[tuple[str, int, int]]
    interruption: tuple[str, int | None] | None
    meanwhile: list[tuple[str, str, tuple[str, int, int]]]  # (before or after, command, operation)

    def take(self, home: SimulatedHome) -> None:
        for when, command, operation in self.meanwhile:
            getattr(home, when)[command] = partial(perform, home, operation)
        match self.interruption:
            case "after", int(messages):
                home.drop_after(messages)
            case "drop", _:
                home.drop_connections()
            case "close", _:
                home.close_connections()
        for operation in self.operations:
            perform(home, operation)


def perform(home: SimulatedHome, operation: tuple[str, int, int]) -> None:
    name, one, other = operation
    ANYTHING[name](home, one, other)


STEPS = st.lists(
    st.builds(
        Step,
        st.lists(OPERATION, max_size=6),
        INTERRUPTION,
        st.lists(st.tuples(st.sampled_from(["before", "after"]), st.sampled_from(ASKED), OPERATION), max_size=4),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
async def test_after_any_sequence_the_database_and_its_history_are_what_the_home_was(
    template: Path, tmp_path: Path, socket_enabled: None, steps: list[Step]
) -> None:
    path = Path(shutil.copy(template, tmp_path / f"{uuid4().hex}.db"))
    seen: list[tuple[float, Everything]] = []
    home = SimulatedHome(4, 6)
    async with mirrored_by(home, path) as mirrored:
        async with mirrored.running():
            await mirrored.settled()
            for step in steps:
                step.take(home)
                await mirrored.settled()
                await mirrored.equal()
                seen.append((mirrored.clock.now, lasting(expected(home))))
        assert not differences(replayed(path), lasting(stored(path)))
        assert_lives_are_told_once(path)
        for at, everything in seen:
            assert not differences(await as_of(mirrored.store, at), everything)


async def as_of(store: Store, at: float) -> Everything:
    return {
        registry.name: {key: _plain(entry._asdict()) for key, entry in (await store.as_of(HOME, registry, at)).items()}
        for registry in REGISTRIES
    }
