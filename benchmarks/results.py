"""Samples → medians, ratios, and whether the targets are reached. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.contenders import Contender, Sample, Scope

# Against whom each is measured. The census is measured against nothing: nobody else takes one.
_YARDSTICKS = {Scope.STATES: "limit", Scope.DATABASE: "pgloader"}
_OTHER_YARDSTICKS = {"run-unverified": "whole"}


@dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Ratio:
    """The median of the ratios within each round, and their range."""

    to: str
    spread: Spread


@dataclass(frozen=True)
class Result:
    """`peaks_bytes`: for each process the largest peak of all rounds, the largest process first."""

    key: str
    label: str
    rows: int
    seconds: Spread
    cpu_s: float | None
    server_cpu_s: float | None
    peaks_bytes: tuple[int, ...]
    phases: Mapping[str, float]
    ratio: Ratio | None
    verification: float | None = None  # ÷ the rest, the median of the rounds

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds.median


@dataclass(frozen=True)
class Goal:
    """`reached` is None where it was not measured."""

    text: str
    most: float
    ratio: float | None

    @property
    def reached(self) -> bool | None:
        return None if self.ratio is None else self.ratio <= self.most


def results(contenders: Sequence[Contender], samples: Mapping[str, Sequence[Sample]]) -> list[Result]:
    """One per contender, and the run once more without its verification."""
    found = []
    for contender in contenders:
        own = samples[contender.key]
        found.append(_result(contender, own, samples))
        if contender.key == "run":
            without = replace(contender, key="run-unverified", label="the same without its verification (calculated)")
            found.append(_result(without, [_without_verification(sample) for sample in own], samples))
    return found


def goals(found: Sequence[Result]) -> list[Goal]:
    ratios = {result.key: result.ratio.spread.median if result.ratio else None for result in found}
    return [
        Goal("copy of `states` with two processes ÷ the limit", 1.6, ratios.get("copy-2")),
        Goal("run including verification ÷ pgloader", 0.6, ratios.get("run")),
        Goal("run without its verification ÷ the limit of the whole", 1.25, ratios.get("run-unverified")),
        Goal(
            "verification ÷ the rest of the run",
            0.5,
            next((result.verification for result in found if result.key == "run"), None),
        ),
    ]


def _without_verification(sample: Sample) -> Sample:
    return replace(
        sample,
        seconds=sample.seconds - sample.phases["verify"],
        cpu_s=None,
        server_cpu_s=None,
        peaks_bytes=(),
        phases={},
    )


def _result(contender: Contender, own: Sequence[Sample], samples: Mapping[str, Sequence[Sample]]) -> Result:
    return Result(
        key=contender.key,
        label=contender.label,
        rows=min(sample.rows for sample in own),
        seconds=Spread.of([sample.seconds for sample in own]),
        cpu_s=_median([sample.cpu_s for sample in own]),
        server_cpu_s=_median([sample.server_cpu_s for sample in own]),
        peaks_bytes=_peaks(own),
        phases={phase: median(sample.phases[phase] for sample in own) for phase in own[0].phases},
        ratio=_ratio(contender, own, samples),
        verification=_verification(own),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _verification(own: Sequence[Sample]) -> float | None:
    shares = [sample.phases["verify"] for sample in own if "verify" in sample.phases]
    rests = [sample.seconds - sample.phases["verify"] for sample in own if "verify" in sample.phases]
    return median(share / rest for share, rest in zip(shares, rests, strict=True)) if shares else None


def _peaks(own: Sequence[Sample]) -> tuple[int, ...]:
    most = max(len(sample.peaks_bytes) for sample in own)
    filled = [sample.peaks_bytes + (0,) * (most - len(sample.peaks_bytes)) for sample in own]
    return tuple(max(peaks) for peaks in zip(*filled, strict=True))


def _ratio(contender: Contender, own: Sequence[Sample], samples: Mapping[str, Sequence[Sample]]) -> Ratio | None:
    to = _OTHER_YARDSTICKS.get(contender.key) or _YARDSTICKS.get(contender.scope)
    if to is None or to == contender.key or to not in samples:
        return None
    pairs = zip(own, samples[to], strict=True)
    return Ratio(to, Spread.of([mine.seconds / theirs.seconds for mine, theirs in pairs]))
