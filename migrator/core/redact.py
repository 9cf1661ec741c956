"""Keeping secrets out of everything that is printed, logged or written."""

from __future__ import annotations

import re

HIDDEN = "***"
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@]+(?=@)", re.IGNORECASE)
_KEYWORD_PASSWORD = re.compile(r"(?P<head>\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)


def redact(text: str, *secrets: str | None) -> str:
    """The text without passwords: the given ones, those in URLs and those behind password=.

    libpq repeats parts of a URL it cannot read in its messages, so fragments of a secret are hidden as well.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
            for fragment in re.split(r"[%@:/?#\s]+", secret):
                if len(fragment) >= 4:
                    text = text.replace(fragment, HIDDEN)
    text = _URL_PASSWORD.sub(rf"\g<head>{HIDDEN}", text)
    return _KEYWORD_PASSWORD.sub(rf"\g<head>{HIDDEN}", text)
