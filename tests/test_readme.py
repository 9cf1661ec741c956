"""The README cannot rot: its reference is the help, its exit codes are the program's, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from migrator.core.audit.rules import RULES
from migrator.core.errors import ExitCode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_reference_is_the_help_of_every_verb() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "reference.py", "--check"], check=False)

    assert done.returncode == 0, "run scripts/reference"


def test_every_exit_code_is_documented() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}

    assert listed == {int(code) for code in ExitCode}


def test_every_rule_of_the_audit_has_its_section() -> None:
    """SARIF's rules lead there."""
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")

    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == list(RULES)


def test_every_link_to_a_file_leads_to_one() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
