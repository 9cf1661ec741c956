"""The report's page in a real Chromium: light and dark, wide and narrow, on paper; it asks for nothing."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from migrator.core.throughput import Arrival
from migrator.page import render
from migrator.steps.report import report as collect

from .browser import Tab
from .reported import EVIL, Everything

SCHEMES = ["light", "dark"]
WIDE, PHONE = 1200, 360

# Of a PNG: the number of its colours, and the mean lightness of its points between 0 and 255.
COLOURS = """
(async () => {
  const bytes = Uint8Array.from(atob("%s"), letter => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const points = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const light = points.reduce((sum, p) => sum + (p & 255) + (p >> 8 & 255) + (p >> 16 & 255), 0) / 3 / points.length;
  return {colours: new Set(points).size, light: light, width: image.width};
})()
"""
PLACES_OF_TEXT = """
[...document.querySelectorAll("svg text")].filter(text => text.textContent === "%s")
  .map(text => text.getBoundingClientRect().toJSON())
"""
# Every text whose contrast with the page is lower than WCAG 2's AA asks of small text.
FAINT = """
(() => {
  const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = luminance(getComputedStyle(document.body).backgroundColor);
  const faint = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(element);
    const ink = luminance(element.tagName === "text" ? style.fill : style.color);
    const contrast = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    if (contrast < 4.5) faint.add(`${element.tagName}.${element.className} ${contrast.toFixed(2)}`);
  }
  return [...faint];
})()
"""


@pytest.fixture
def report(tab: Tab, everything: Everything) -> Tab:
    """The page of a run with everything there is to report, as somebody opens the file."""
    tab.look("light", WIDE)
    tab.open(everything.page().as_uri())
    return tab


def opened(tab: Tab, selector: str) -> list[bool]:
    """Whether each of these elements can be seen."""
    shown = f"[...document.querySelectorAll({selector!r})].map(found => found.checkVisibility())"
    return list(tab.evaluate(shown))


def test_it_asks_for_nothing_and_the_browser_has_nothing_to_say(report: Tab, everything: Everything) -> None:
    assert report.requests == [everything.page().as_uri()]
    assert report.complaints == []


def test_light_and_dark_are_two_pages_to_the_eye(report: Tab) -> None:
    shots = {}
    for scheme in SCHEMES:
        report.look(scheme, WIDE)
        shots[scheme] = report.screenshot()
    report.open("about:blank")
    light, dark = (report.evaluate(COLOURS % base64.b64encode(shots[scheme]).decode()) for scheme in SCHEMES)

    assert light["width"] == dark["width"] == WIDE
    assert min(light["colours"], dark["colours"]) > 20
    assert light["light"] > 220
    assert dark["light"] < 60


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read(scheme: str, report: Tab) -> None:
    report.look(scheme, WIDE)

    assert report.evaluate(FAINT) == []


def test_hostile_names_are_text(report: Tab) -> None:
    def count(selector: str) -> Any:
        return report.evaluate(f"document.querySelectorAll({selector!r}).length")

    assert [count(selector) for selector in ("script", "img", "s", "u", "[onclick]", "style")] == [0, 0, 0, 0, 0, 1]
    names = report.evaluate("[...document.querySelectorAll('summary bdi')].map(name => name.textContent)")
    assert EVIL in names
    assert "photo‹U+202E›gnp.exe" in names


def test_its_policy_forbids_what_it_does_not_have(report: Tab) -> None:
    """Should a name ever get through, it can still run nothing, load nothing and restyle nothing."""
    report.evaluate(
        """
        const script = document.createElement("script");
        script.textContent = "document.title = 'mine'";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<p id=p style='color: red' onclick='x()'><img src='x.png'>");
        """
    )

    assert report.evaluate("document.title").startswith("7 rows were left out.")
    assert report.evaluate("getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"
    for kind in ("script-src", "style-src", "img-src"):
        assert any(f"'{kind}' was not explicitly set" in said or f"{kind} " in said for said in report.complaints), kind


@pytest.mark.parametrize("scheme", SCHEMES)
def test_on_a_phone_nothing_sticks_out(scheme: str, report: Tab) -> None:
    report.look(scheme, PHONE)
    report.evaluate("document.querySelectorAll('details').forEach(found => found.open = true)")

    assert report.evaluate("document.documentElement.scrollWidth") == PHONE
    sizes = report.evaluate("[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)")
    assert min(sizes) >= 12


@pytest.mark.parametrize("resumed", [0.02, 0.97])
def test_where_a_run_went_on_is_told_within_the_plot(resumed: float, tab: Tab, everything: Everything) -> None:
    made = collect(None, everything.runs)
    begun = made.begun_at
    halt, end = begun + timedelta(seconds=100 * resumed), begun + timedelta(seconds=100)
    first = Arrival("readings", None, None, 10, 0, 1, begun, halt)
    second = Arrival("rooms", None, None, 1000, 0, 2, halt, end)
    file = everything.folder / "resumed.html"
    file.write_text(render(replace(made, arrivals=(first, second))), encoding="utf-8")
    tab.look("light", PHONE)
    tab.open(file.as_uri())

    [label] = tab.evaluate(PLACES_OF_TEXT % "went on here")
    assert 0 <= label["left"] < label["right"] <= PHONE
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE


def test_on_paper_everything_is_unfolded(report: Tab) -> None:
    report.evaluate("document.querySelectorAll('details').forEach(found => found.open = false)")
    assert not any(opened(report, ".inside td"))

    report.look("dark", WIDE, media="print")
    assert all(opened(report, ".inside td"))
    assert report.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_it_tells_those_who_do_not_see_it(report: Tab) -> None:
    """The plots have names and descriptions, the tables headers with a scope, the sections headings."""
    nodes = report.call("Accessibility.getFullAXTree")["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]}

    assert ("image", "Rows per second over the time of the copy") in named
    assert ("image", "Seconds of each phase, one after the other") in named
    assert ("heading", "Tables and types") in named
    assert ("region", "Tables and types") in named
    assert ("DisclosureTriangle", "readings 6 rejected 3 healed 5 columns, 4 rows") in named
    assert {name for role, name in named if role == "columnheader"} >= {"Column", "Policy", "Why, and what would help"}
    assert report.evaluate("[...document.querySelectorAll('th')].every(header => header.scope)")
    assert report.evaluate("document.documentElement.lang") == "en"
