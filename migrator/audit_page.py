"""An audit as one HTML file, in the style of a run's report; its only script filters what is shown.

File names and SQL come from a program that nobody vouches for. Everything is escaped, and the page's policy allows its
own style sheet and its own script, and nothing from outside.
"""

from __future__ import annotations

from importlib.resources import files

from migrator.core.audit.overview import counts, dangers, declined, groups, remaining
from migrator.core.audit.picture import WIDTH, picture
from migrator.core.audit.result import Audit
from migrator.page import filled


def render(audit: Audit) -> str:
    """The whole file."""
    return filled(
        "audit.html.j2",
        script=files("migrator").joinpath("templates/audit.js").read_text(encoding="utf-8"),
        audit=audit,
        headline=remaining(audit),
        figures=counts(audit),
        dangers=list(dangers(audit)),
        groups=groups(audit),
        declined=declined(audit),
        picture=picture(audit),
        width=WIDTH,
    )
