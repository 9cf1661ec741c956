"""Names and defaults."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "metastore"
