"""The census of one range, and the orphans of one foreign key."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.core.census import TableCensus
from migrator.core.model import ForeignKey
from migrator.core.names import quote_identifier
from migrator.source.rows import Range, Relation, take_census
from migrator.workers import Context


@dataclass(frozen=True)
class CensusTask:
    relation: Relation
    part: Range
    encoding: str

    def run(self, context: Context) -> TableCensus:
        census = take_census(context.source, self.relation, self.part, self.encoding)
        context.report(census.rows)
        return census


@dataclass(frozen=True)
class OrphanTask:
    """Counts the rows whose foreign key names no parent; 0 where the parent table or its columns do not exist."""

    table: str
    key: ForeignKey

    def run(self, context: Context) -> int:
        child, parent = quote_identifier(self.table), quote_identifier(self.key.parent)
        pairs = list(zip(self.key.columns, self.key.parent_columns, strict=True))
        joined = " AND ".join(f"p.{quote_identifier(theirs)} = c.{quote_identifier(ours)}" for ours, theirs in pairs)
        present = " AND ".join(f"c.{quote_identifier(ours)} IS NOT NULL" for ours in self.key.columns)
        query = (
            f"SELECT count(*) FROM main.{child} c WHERE {present}"
            f" AND NOT EXISTS (SELECT 1 FROM main.{parent} p WHERE {joined})"
        )
        ((count,),) = context.source.execute(query)
        return int(count)
