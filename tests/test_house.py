"""The repository itself: what stands in several places agrees, and what ships is what is meant."""

from __future__ import annotations

import json
import re
import struct
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MANIFEST = json.loads((ROOT / "custom_components/metastore/manifest.json").read_text())
URL = "https://github.com/ha-metastore/ha-metastore"


def test_there_is_one_version() -> None:
    assert MANIFEST["version"] == PROJECT["version"]


def test_the_manifest_has_what_hacs_wants() -> None:
    assert {"domain", "documentation", "issue_tracker", "codeowners", "name", "version"} <= MANIFEST.keys()
    assert MANIFEST["documentation"] == URL == PROJECT["urls"]["Homepage"]
    assert MANIFEST["issue_tracker"] == PROJECT["urls"]["Issues"]


def test_the_manifest_is_in_the_order_that_hassfest_wants() -> None:
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]


def test_hacs_json_has_only_known_keys() -> None:
    known = {
        "name", "content_in_root", "filename", "hide_default_branch", "homeassistant", "hacs", "persistent_directory",
        "zip_release",
    }  # fmt: skip
    assert {"name"} <= json.loads((ROOT / "hacs.json").read_text()).keys() <= known


def test_the_icon_is_a_transparent_square() -> None:
    header = (ROOT / "custom_components/metastore/brand/icon.png").read_bytes()[:33]
    width, height, depth, colour = struct.unpack(">IIBB", header[16:26])
    assert (width, height, depth, colour) == (256, 256, 8, 6)


def test_actions_are_pinned_by_commit() -> None:
    uses = [
        line
        for workflow in (ROOT / ".github/workflows").glob("*.yml")
        for line in workflow.read_text().splitlines()
        if "uses:" in line
    ]
    assert len(uses) >= 5
    assert [line for line in uses if not re.search(r"@[0-9a-f]{40} # \S+$", line)] == []


def test_pins_name_no_hosts() -> None:
    for pins in ROOT.glob("constraints*.txt"):
        assert "://" not in pins.read_text()


def test_the_parser_is_pinned_exactly() -> None:
    pin = next(name for name in PROJECT["dependencies"] if name.startswith("sqlglot"))
    assert re.fullmatch(r"sqlglot==[\d.]+", pin)
    assert pin in (ROOT / "constraints.txt").read_text()


def test_every_script_answers_help() -> None:
    for script in (ROOT / "scripts").iterdir():
        if script.suffix == "" and script.is_file() and script.name != "bench":
            text = script.read_text()
            assert "\n# Usage: scripts/" in text, script
            assert "help_if_asked" in text, script
