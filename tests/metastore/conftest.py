"""Home Assistant's test harness, with this repository's integrations switched on."""

from __future__ import annotations

import pytest

# Imported before the harness starts Home Assistant: its own folder of that name would hide ours.
import custom_components  # noqa: F401


@pytest.fixture(autouse=True)
def _our_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load what lies in custom_components."""
