"""scripts/bench works, whatever it measures: no test asserts a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import Contender, Sample, Scope
from benchmarks.report import BEGIN, END, replace_measured
from benchmarks.results import goals, results

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"


def contender(key: str, scope: Scope) -> Contender:
    return Contender(key, key, scope, key, lambda _: Sample(0))


@pytest.mark.slow
def test_everything_is_measured_and_nothing_is_left_behind() -> None:
    command = [sys.executable, "-m", "benchmarks", "--states", "2000", "--repeat", "1", "--no-pgloader", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert (measured["kind"], measured["version"], measured["repeat"]) == ("benchmark", 1, 1)
    found = measured["results"]
    assert {key: result["rows"] for key, result in found.items()} == {
        "limit": 2000, "copy-2": 2000, "copy-1": 2000, "census": 5100,
        "whole": 5100, "run": 5100, "run-unverified": 5100,
    }  # fmt: skip
    for key in measured["commands"]:
        assert found[key]["seconds"]["median"] > 0
        assert found[key]["cpu_s"] > 0
        assert found[key]["rows_per_s"] > 0
        assert not sys.platform.startswith("linux") or min(found[key]["peaks_bytes"]) > 1_000_000
    assert found["copy-2"]["ratio"]["to"] == "limit"
    assert found["run"]["phases"].keys() >= {"copy", "indexes", "keys", "verify", "total"}
    assert [goal["reached"] is None for goal in measured["goals"]] == [False, True, False, False]
    scratch = re.search(r"^Working in (.+)$", done.stderr, re.MULTILINE)
    assert scratch is not None
    assert not Path(scratch[1]).exists()


def test_ratios_are_taken_within_each_round() -> None:
    measured = [contender("limit", Scope.STATES), contender("copy-2", Scope.STATES)]
    samples = {"limit": [Sample(1.0), Sample(10.0), Sample(2.0)], "copy-2": [Sample(1.5), Sample(16.0), Sample(3.2)]}
    _, copy = results(measured, samples)
    assert copy.ratio is not None
    assert (copy.ratio.spread.least, copy.ratio.spread.median, copy.ratio.spread.most) == (1.5, 1.6, 1.6)
    assert [goal.reached for goal in goals([copy])] == [True, None, None, None]


def test_the_run_is_shown_without_its_verification_too() -> None:
    measured = [contender(key, Scope.DATABASE) for key in ("run", "whole", "pgloader")]
    run = Sample(5.0, cpu_s=4.0, peaks_bytes=(3, 1), phases={"verify": 2.0})
    found = {
        result.key: result
        for result in results(measured, {"run": [run], "whole": [Sample(2.5)], "pgloader": [Sample(10.0)]})
    }
    assert found["run"].ratio is not None
    assert found["run"].ratio.spread.median == 0.5
    assert found["run-unverified"].seconds.median == 3.0
    assert found["run-unverified"].ratio is not None
    assert (found["run-unverified"].ratio.to, found["run-unverified"].ratio.spread.median) == ("whole", 1.2)
    assert found["run"].verification == 2.0 / 3.0
    assert [goal.reached for goal in goals(list(found.values()))] == [None, True, True, False]


def test_only_the_measured_part_of_the_document_is_replaced() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    written = replace_measured(document, "new figures\n")
    assert written.partition(BEGIN)[0] == document.partition(BEGIN)[0]
    assert f"{BEGIN}\nnew figures\n{END}\n" in written
    with pytest.raises(ValueError, match="once each"):
        replace_measured("no markers", "new figures")
