"""An audit as SARIF 2.1.0, which code scanning services show beside the code.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from migrator.core.audit.result import Audit, Unread
from migrator.core.audit.rules import RULES, Hazard, Rule
from migrator.core.visible import visible

SCHEMA = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
HOME = "https://github.com/ha-metastore/ha-metastore"
ROOT = "%SRCROOT%"
_INDEXES = {rule: index for index, rule in enumerate(RULES)}


def sarif(audit: Audit, version: str) -> dict[str, Any]:
    """One log with one run. Files are relative to %SRCROOT%, which whoever shows them knows."""
    driver = {
        "name": "migrator",
        "version": version,
        "informationUri": HOME,
        "rules": [_rule(rule) for rule in RULES.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(audit.unread)],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that the audit was made in."}}},
        "results": list(_results(audit.hazards)),
        "properties": {"left": audit.summary.left},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": f"{rule.title}. {rule.why}"},
        "help": {"text": f"{rule.why}\n\n{rule.fix}", "markdown": f"{rule.why}\n\n**What to do:** {rule.fix}"},
        "helpUri": f"{HOME}/blob/main/docs/audit.md#{rule.id}",
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {"tags": ["postgresql", "sqlite"]},
    }


def _results(hazards: Iterable[Hazard]) -> Iterator[dict[str, Any]]:
    """A fingerprint holds as long as the line itself stays: whatever is added above it."""
    seen: Counter[tuple[str, ...]] = Counter()
    for hazard in hazards:
        rule = RULES[hazard.rule]
        about = (hazard.rule, hazard.file, hazard.source)
        seen[about] += 1
        detail = f": {visible(hazard.detail)}" if hazard.detail else ""
        yield {
            "ruleId": rule.id,
            "ruleIndex": _INDEXES[rule.id],
            "level": rule.level.value,
            "message": {"text": f"{rule.title}{detail}. {rule.fix}"},
            "locations": [_location(hazard.file, hazard.line)],
            "partialFingerprints": {"migratorAudit/v1": _digest(*about, str(seen[about]))},
        }


def _location(file: str, line: int) -> dict[str, Any]:
    where = {"uri": quote(file, errors="backslashreplace"), "uriBaseId": ROOT}
    return {"physicalLocation": {"artifactLocation": where, "region": {"startLine": line}}}


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:32]


def _invocation(unread: Iterable[Unread]) -> dict[str, Any]:
    """What could not be read is told, and does not make the others less true."""
    told = [
        {
            "level": "error",
            "message": {"text": f"{visible(item.file)} cannot be read: {visible(item.reason)}"},
            "locations": [_location(item.file, item.line)],
        }
        for item in unread
    ]
    return {"executionSuccessful": not told, "toolExecutionNotifications": told}
