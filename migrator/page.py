"""The report as one HTML file: no scripts, nothing from outside, for light and dark screens, phones and paper.

Names, values and messages come from a source that nobody vouches for. Everything is escaped, what would be invisible or
would turn the text around is written out as its code point, and the page's policy allows its one style sheet only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from migrator.core import plots
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.plots import Bar, Tick
from migrator.core.throughput import Throughput
from migrator.core.visible import visible
from migrator.steps.report import CarriedTable, Ending, Outcome, RunReport

FEW = 5  # what is more is folded up
FEW_TABLES = 3
PLOT_TOP, PLOT_HEIGHT = 20, 180  # pixels, as in the template
_TONES = {Severity.DECISION: "bad", Severity.WARNING: "warn", Severity.NOTE: "soft"}
_PHASES = {
    "prepare": "Preparation",
    "tables": "Tables",
    "copy": "Copy",
    "indexes": "Indexes",
    "keys": "Keys and views",
    "verify": "Proof",
}
_SNAPSHOTS = {
    "live": "one snapshot of the source, which could be written meanwhile",
    "copied": "a copy of the source, made first",
    "exported": "an export, checked against its manifest",
}


def render(report: RunReport) -> str:
    """The whole file."""
    return filled("report.html.j2", report=report, run=report.run, proof=report.run.proof, page=_page(report))


def filled(template: str, script: str = "", **values: Any) -> str:
    """A template with its values, and a policy that allows the style sheet, the script and nothing else."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_visible, loader=PackageLoader("migrator", "templates")
    )
    environment.filters |= {"count": "{:,}".format, "duration": plots.duration, "settings": _settings}
    style = files("migrator").joinpath("templates/report.css").read_text(encoding="utf-8")
    scripts = f"; script-src {_digest(script)}" if script else ""
    return environment.get_template(template).render(
        # Both are ours, and escaping would change what their digests are of.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=f"default-src 'none'; style-src {_digest(style)}{scripts}; base-uri 'none'; form-action 'none'",
        version=version("metastore-migrator"),
        **values,
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _visible(value: object) -> object:
    """Text with what cannot be seen written out; None as nothing; markup as it is."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else visible(str(value), keep="\n\t")


def _settings(settings: Mapping[str, Any]) -> list[str]:
    """What the plan says of a column beside its type, in words where a word is enough."""
    return [
        key.replace("_", " ") if value is True else f"{key} {value}" for key, value in settings.items() if key != "drop"
    ]


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one rule."""

    severity: Severity
    rule: str
    findings: Sequence[Finding]

    @property
    def tone(self) -> str:
        return _TONES[self.severity]

    @property
    def few(self) -> bool:
        return len(self.findings) <= FEW


@dataclass(frozen=True)
class RowTick:
    y: float
    label: str


@dataclass(frozen=True)
class RatePlot:
    """Places across are in percent, heights in pixels."""

    caption: str
    area: str
    curve: str
    rows: Sequence[RowTick]
    times: Sequence[Tick]
    pauses: Sequence[float]
    mean_y: float


@dataclass(frozen=True)
class Page:
    """What the template shows beside the report itself."""

    source: str
    day: str
    tone: str
    headline: str
    lead: str
    figures: Sequence[tuple[str, str, str]]  # label, value, tone
    facts: Sequence[tuple[str, str]]
    proof: Sequence[str]
    differences_shown: str
    plot: RatePlot | None
    bars: Sequence[Bar]
    phases_caption: str
    findings: Sequence[FindingGroup]
    tables: Sequence[CarriedTable]
    tables_open: bool


def _page(report: RunReport) -> Page:
    run, proof = report.run, report.run.proof
    tone, headline, lead = _verdict(report)
    tables = sorted(
        report.tables, key=lambda table: (table.decision.dropped, -table.compared.rows, table.decision.source)
    )
    shown = len(proof.differences)
    return Page(
        source=PurePath(run.source).name,
        day=f"{report.begun_at:%-d %B %Y}",
        tone=tone,
        headline=headline,
        lead=lead,
        figures=_figures(report),
        facts=_facts(report),
        proof=_proof(report),
        differences_shown=f"The first {shown:,} of {proof.differing:,}" if shown < proof.differing else "",
        plot=_rate_plot(report.throughput, run.rows),
        bars=plots.waterfall(_phases(run.seconds)),
        phases_caption=_phases_caption(run),
        findings=_finding_groups(run.findings),
        tables=tables,
        tables_open=len(tables) <= FEW_TABLES,
    )


def _by_size(table: CarriedTable) -> tuple[bool, int, str]:
    return table.decision.dropped, -table.compared.rows, table.decision.source


# -- words -------------------------------------------------------------------------------------------------------------


def _verdict(report: RunReport) -> tuple[str, str, str]:
    """(tone, headline, the sentences below it)."""
    run, proof = report.run, report.run.proof
    if run.ending is Ending.DRY_RUN:
        planned = ", ".join(f"{count:,} × {kind}" for kind, count in run.planned.items() if count)
        return (
            "",
            "A dry run. Nothing was changed.",
            f"Source, plan and target fit together. A run would make {planned}.",
        )
    if run.ending is Ending.MISMATCH:
        found = count_of(proof.differing, "difference")
        lead = f"The proof found {found}. Nothing was put in place: the target is as it was."
        return "bad", "The copy is not the same.", lead
    moved = f"{count_of(run.rows, 'row')} in {count_of(run.tables, 'table')}"
    compared = f"were read back from PostgreSQL and compared with {_other_side(run)}, value by value. Nothing differs."
    if run.rejects:
        left = count_of(run.rejects, "row was", "rows were")
        return "warn", f"{left} left out.", f"Each has its reason below. The other {moved} {compared}"
    if run.healed:
        healed = f"{count_of(run.healed, 'value was', 'values were')} healed on the way, as the plan says."
        return "", "Everything arrived.", f"{moved} {compared} {healed}"
    return "", "Everything arrived.", f"{moved} {compared}"


def _other_side(run: Outcome) -> str:
    """A load has no source at hand, but files that were compared with it when they were written."""
    return "the exported files" if run.snapshot == "exported" else "the source"


def _figures(report: RunReport) -> list[tuple[str, str, str]]:
    run = report.run
    took = ("Took", plots.duration(_total(run.seconds)), "")
    if run.ending is Ending.DRY_RUN:
        return [("Tables", f"{run.tables:,}", ""), took]
    differing = run.proof.differing
    return [
        ("Rows", f"{run.rows:,}", ""),
        ("Tables", f"{run.tables:,}", ""),
        ("Rejected rows", f"{run.rejects:,}", "bad" if run.rejects else ""),
        ("Healed values", f"{run.healed:,}", "warn" if run.healed else ""),
        ("Differences", f"{differing:,}", "bad" if differing else "good"),
        took,
    ]


def _facts(report: RunReport) -> list[tuple[str, str]]:
    run = report.run
    facts = [
        ("Source", run.source),
        ("Target", run.target),
        ("Schema", run.schema),
        ("Begun", f"{report.begun_at:%-d %B %Y, %H:%M:%S} UTC"),
        ("Read from", _SNAPSHOTS.get(run.snapshot, run.snapshot)),
        (
            "Attempts",
            f"{run.attempt:,}; each went on where the one before was interrupted" if run.attempt > 1 else "",
        ),
        ("Run", run.run_id),
    ]
    return [(label, value) for label, value in facts if value]


def _proof(report: RunReport) -> list[str]:
    run, proof = report.run, report.run.proof
    sentences = [
        f"{count_of(proof.rows, 'row was', 'rows were')} read back from PostgreSQL and compared with "
        f"{_other_side(run)}, exact in type and bits, by code that shares nothing with the copy but the plan. So were "
        f"{proof.parts_compared:,} tables, indexes, keys and positions of sequences, one by one."
    ]
    if run.ending is Ending.IN_PLACE:
        sentences.append("Only then one transaction moved all tables into their place.")
    apart = [count_of(run.rejects, "rejected row")] if run.rejects else []
    apart += [count_of(run.healed, "healed value")] if run.healed else []
    if apart:
        sentences.append(f"Apart from {' and '.join(apart)}, shown below, the two sides have to be the same.")
    return [" ".join(sentences)]


def _phases_caption(run: Outcome) -> str:
    total = f"{plots.duration(_total(run.seconds))} in all"
    return f"{total}, in attempt {run.attempt}, the last." if run.attempt > 1 else f"{total}."


def _total(seconds: Mapping[str, float]) -> float:
    return seconds.get("total") or sum(seconds.values())


def _finding_groups(findings: Sequence[Finding]) -> list[FindingGroup]:
    order = (Severity.DECISION, Severity.WARNING, Severity.NOTE)
    ordered = sorted(findings, key=lambda finding: (order.index(finding.severity), finding.rule))
    grouped = groupby(ordered, key=lambda finding: (finding.severity, finding.rule))
    return [FindingGroup(severity, rule, tuple(group)) for (severity, rule), group in grouped]


# -- plots -------------------------------------------------------------------------------------------------------------


def _rate_plot(throughput: Throughput, rows_in_place: int) -> RatePlot | None:
    if not throughput.rates:
        return None
    top = plots.ceiling(throughput.peak)
    caption = (
        f"{count_of(throughput.rows, 'row')} in {plots.duration(throughput.seconds)}: {throughput.mean:,.0f} rows/s "
        f"in the mean (the dashed line), {throughput.peak:,.0f} at the most."
    )
    if orphans := throughput.rows - rows_in_place:
        caption += f" {count_of(orphans, 'of these was', 'of these were')} left out later, for want of a parent."
    if throughput.resumed_s:
        caption += " The time between an interruption and the next attempt is left out."
    return RatePlot(
        caption=caption,
        area=plots.area_path(throughput.rates, top),
        curve=plots.line_path(throughput.rates, top),
        rows=[RowTick(_height(tick.at), tick.label) for tick in plots.ticks(top)],
        times=plots.time_ticks(throughput.seconds),
        pauses=[plots.percent(at, throughput.seconds) for at in throughput.resumed_s],
        mean_y=_height(plots.percent(throughput.mean, top)),
    )


def _height(percent: float) -> float:
    return round(PLOT_TOP + PLOT_HEIGHT * (1 - percent / 100), 1)


def _phases(seconds: Mapping[str, float]) -> dict[str, float]:
    return {_PHASES.get(name, name): taken for name, taken in seconds.items() if name != "total"}
