"""Which statements the rewriting would leave to a person, found by trying it."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.core.audit.sent import Sent
from migrator.core.python.texts import Text
from migrator.core.redefining import Definitions
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.split import SourceStatement, split

DYNAMIC = "dynamic-sql"


class Trial:
    """Of one program: a statement that stands in several places is tried once."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._known: dict[str, str | None] = {}

    def refusals(self, sent: Sent) -> tuple[str, ...]:
        """The rules by which it cannot be translated, each once; SQL with holes is not known."""
        texts = sent.site.texts if sent.site is not None else ()
        if any(text.holes for text in texts):
            known = (rule for text in texts if not text.holes for rule in self._of_text(text))
            return tuple(dict.fromkeys((DYNAMIC, *known)))
        return tuple(dict.fromkeys(rule for statement in sent.statements for rule in self._of(statement)))

    def _of_text(self, text: Text) -> Iterator[str]:
        for statement in split(text.filled("", "?")):
            yield from self._of(statement)

    def _of(self, statement: SourceStatement) -> Iterator[str]:
        text = statement.text
        if text not in self._known:
            rewritten = self.definitions.rewritten(statement, Driver.PSYCOPG, "")
            declined = rewritten.output is None and rewritten.findings
            self._known[text] = rewritten.findings[0].rule if declined else None
        rule = self._known[text]
        yield from [rule] if rule is not None else []
