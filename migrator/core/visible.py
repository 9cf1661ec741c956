"""Text that nobody vouches for, as it can be shown: on a terminal, in Markdown, on a page."""

from __future__ import annotations


def visible(text: str, keep: str = "") -> str:
    """What is invisible or would turn the text around is written out, as in ‹U+202E›; `keep` stays as it is."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in keep else f"‹U+{ord(sign):04X}›" for sign in text)


def one_line(text: str) -> str:
    """The same with every run of white space as one space."""
    return visible(" ".join(text.split()))
