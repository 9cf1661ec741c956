"""Both products beside each other, in Home Assistant's environment."""

from __future__ import annotations

# Imported first: the test harness has a folder of that name, which would hide ours.
import custom_components  # noqa: F401
