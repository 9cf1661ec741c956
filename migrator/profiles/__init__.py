"""What is special about a known database. `recognise` finds the profile that a source needs."""

from __future__ import annotations

from migrator.core.errors import UsageError
from migrator.core.model import Schema
from migrator.profiles.home_assistant_recorder import HomeAssistantRecorder
from migrator.profiles.metastore import Metastore
from migrator.profiles.profile import Profile

AUTO = "auto"
NONE = "none"
PROFILES: tuple[Profile, ...] = (HomeAssistantRecorder(), Metastore())


def recognise(name: str, schema: Schema) -> Profile | None:
    """The profile of that name, or the one that knows the schema (auto), or none. Raises UsageError."""
    if name == NONE:
        return None
    if name == AUTO:
        return next((profile for profile in PROFILES if profile.recognises(schema)), None)
    known = {profile.name: profile for profile in PROFILES}
    if name not in known:
        raise UsageError(f"There is no profile {name}.", next_step=f"Known are: {', '.join((AUTO, NONE, *known))}.")
    if not known[name].recognises(schema):
        raise UsageError(
            f"The source is not what the profile {name} is for.", "It lacks tables that are always there.",
            "Leave --profile out, or set it to none.",
        )  # fmt: skip
    return known[name]
