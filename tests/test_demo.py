"""The first thing that a new user runs."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "scripts" / "demo"


def scratch_folder(output: str) -> Path:
    found = re.search(r"-o (\S+)/plan\.toml", output)
    assert found is not None, output
    return Path(found[1])


@pytest.mark.slow
def test_the_demo_migrates_and_leaves_nothing_behind() -> None:
    done = subprocess.run([DEMO], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "psql" in done.stdout.splitlines()[-2]
    assert not scratch_folder(done.stdout).exists()


@pytest.mark.slow
def test_the_demo_ends_well_when_it_is_told_to_stop() -> None:
    with subprocess.Popen([DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        output = ""
        for line in demo.stdout:
            output += line
            if line.startswith("$ migrator run"):
                break
        demo.send_signal(signal.SIGTERM)
        output += demo.stdout.read()
    assert demo.returncode == 0
    assert "psql" not in output
    assert not scratch_folder(output).exists()
