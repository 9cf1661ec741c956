"""Plan ⇄ TOML that a person reviews and edits. Comments and order survive: the file is edited, never written anew."""

from __future__ import annotations

import fnmatch
from dataclasses import asdict, fields, replace
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from migrator.core.convert import Options
from migrator.core.errors import PlanError
from migrator.core.findings import count_of
from migrator.core.model import Affinity, Schema, fold
from migrator.core.names import column_name, table_name
from migrator.core.pgtypes import parse_type
from migrator.core.plan import VERSION, ColumnPlan, Orphans, Plan, Policy, Style, TablePlan

_HEADER = """Migrator's plan. Review it, change what you like, and run: migrator run SOURCE TARGET --plan THIS-FILE
Behind each column stands what the census found. The line after it, where there is one, is the other style's choice.
Types: smallint integer bigint numeric(p,s) "double precision" text varchar(n) char(n) bytea boolean date time
       timestamp timestamptz uuid json jsonb text[]
Keys of a column: type, target (its name in PostgreSQL), drop, identity, not_null, collation, format, unit (s, ms, us,
       julian), zone, true and false (spellings of a boolean), holds ("number" or "text"), policy, rule = false
policy, for a value that does not fit: reject, widen, null-if-empty, strip-nul, replace-nul, bytea
Keys of a table: target, drop, rowid (a column that carries the rowid), nullable_key, drop_indexes; and for a merge
       source (one SQLite query), key, covers, accept_rows_dropped
orphans, for rows without their parent: not-valid, reject, null, fail
A view or a trigger stays behind with [views.NAME] or [triggers.NAME] and drop = true"""

_COLUMN_KEYS = {
    "type",
    "target",
    "drop",
    "identity",
    "not_null",
    "collation",
    "policy",
    "rule",
    "affinity",
    *(field.name for field in fields(Options)),
}
_TABLE_KEYS = {
    "target",
    "drop",
    "source",
    "key",
    "covers",
    "accept_rows_dropped",
    "rowid",
    "nullable_key",
    "drop_indexes",
    "columns",
    "foreign_keys",
}
_TOP_KEYS = {
    "version",
    "style",
    "profile",
    "policy",
    "zone",
    "schema",
    "rules",
    "tables",
    "views",
    "triggers",
    "fingerprint",
}


# -- writing -----------------------------------------------------------------------------------------------------------


def to_toml(plan: Plan, findings: tuple[str, ...] = ()) -> str:
    """The plan as a commented file. `findings` go to the top, where a reader looks first."""
    document = tomlkit.document()
    for line in _HEADER.splitlines():
        document.add(tomlkit.comment(line))
    if findings:
        document.add(tomlkit.nl())
        document.add(tomlkit.comment("What to look at first:"))
        for finding in findings:
            document.add(tomlkit.comment(f"- {finding}"))
    document.add(tomlkit.nl())
    document["version"] = VERSION
    document["style"] = plan.style.value
    document["profile"] = plan.profile
    document["policy"] = Policy.REJECT.value
    document["zone"] = plan.zone
    document["schema"] = plan.target_schema
    rules = tomlkit.table()
    rules.add(
        tomlkit.comment('"*.created_at" = { type = "timestamptz", zone = "Europe/Berlin" }   # beats the lines below')
    )
    document["rules"] = rules
    document["tables"] = _tables(plan)
    document["views"] = _dropped(plan.dropped_views)
    document["triggers"] = _dropped(plan.dropped_triggers)
    document["fingerprint"] = _fingerprint(plan)
    return tomlkit.dumps(document)


def _tables(plan: Plan) -> Table:
    tables = tomlkit.table(is_super_table=True)
    for table in plan.tables:
        tables.add(table.source, _table(table))
    return tables


def _dropped(names: frozenset[str]) -> Table:
    table = tomlkit.table(is_super_table=not names)
    for name in sorted(names):
        table.add(name, {"drop": True})
    return table


def _fingerprint(plan: Plan) -> Table:
    table = tomlkit.table()
    table.comment("of the source's schema; a plan for another schema is refused")
    for name, digest in plan.fingerprint.items():
        table.add(name, digest)
    return table


def _table(table: TablePlan) -> Table:
    item = tomlkit.table()
    if table.rows is not None:
        size = f", {table.size_bytes:,} bytes" if table.size_bytes is not None else ""
        item.comment(f"{count_of(table.rows, 'row')}{size}")
    if table.query:
        item.add("source", tomlkit.string(table.query, multiline="\n" in table.query))
        item.add("key", list(table.key))
        item.add("covers", list(table.covers))
        if table.accept_rows_dropped:
            item.add("accept_rows_dropped", table.accept_rows_dropped)
    item.add("target", table.target)
    for key in ("drop", "rowid", "nullable_key"):
        if value := getattr(table, key):
            item.add(key, value)
    if table.drop_indexes:
        item.add("drop_indexes", list(table.drop_indexes))
    columns = tomlkit.table()
    for column in table.columns:
        add_column(columns, column)
    item.add("columns", columns)
    if table.orphans:
        keys = tomlkit.table()
        for names, orphans in table.orphans.items():
            keys.add(",".join(names), _inline({"orphans": orphans.value}))
        item.add("foreign_keys", keys)
    return item


def add_column(columns: Table, column: ColumnPlan) -> None:
    """Add the column's line, the evidence behind it and the other style's choice below it."""
    line = _inline(column_line(column))
    if column.why:
        line.comment(_one_line(column.why))
    columns.add(column.source, line)
    if column.alternative:
        key = tomlkit.inline_table()
        key.add(column.source, 0)
        name = key.as_string().removeprefix("{").partition(" = ")[0].strip()
        columns.add(tomlkit.comment(f"{name} = {column.alternative}"))


def column_line(column: ColumnPlan) -> dict[str, Any]:
    """The column's keys as they stand in the file; what is the default is left out."""
    line: dict[str, Any] = {}
    if column.target != column_name(column.source):
        line["target"] = column.target
    line["type"] = str(column.type)
    line |= {key: value for key, value in asdict(column.options).items() if value is not None}
    if column.collation:
        line["collation"] = column.collation
    for key in ("identity", "not_null", "drop"):
        if getattr(column, key):
            line[key] = True
    if column.policy is not Policy.REJECT:
        line["policy"] = column.policy.value
    return line


def inline(line: dict[str, Any]) -> str:
    """The line as TOML text."""
    return _inline(line).as_string()


def _inline(line: dict[str, Any]) -> InlineTable:
    item = tomlkit.inline_table()
    item.update(line)
    return item


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else "?" for letter in text).split())


def refresh(text: str, plan: Plan) -> str:
    """The file with what `plan` knows and it lacks: new tables, new columns, the fingerprint. Nothing else changes."""
    document = _parse(text)
    tables = document.setdefault("tables", tomlkit.table(is_super_table=True))
    for table in plan.tables:
        if table.source not in tables:
            tables.add(table.source, _table(table))
            continue
        if "columns" not in tables[table.source]:
            tables[table.source].add("columns", tomlkit.table())
        columns = tables[table.source]["columns"]
        for column in table.columns:
            if column.source not in columns:
                add_column(columns, column)
    document["fingerprint"] = _fingerprint(plan)
    return tomlkit.dumps(document)


def forget(text: str, plan: Plan) -> str:
    """The file without the tables and columns that `plan`, a fresh one, does not have. Merges are the file's own."""
    document = _parse(text)
    present = {fold(table.source): {fold(column.source) for column in table.columns} for table in plan.tables}
    tables = document.get("tables", {})
    for name in [*tables]:
        item = tables[name]
        if "source" in item or item.get("drop"):
            continue
        if fold(name) not in present:
            tables.remove(name)
            continue
        for column in [*item.get("columns", {})]:
            if fold(column) not in present[fold(name)]:
                item["columns"].remove(column)
    return tomlkit.dumps(document)


# -- reading -----------------------------------------------------------------------------------------------------------


def from_toml(text: str, schema: Schema) -> Plan:
    """The plan in that file; affinities come from the schema. Raises PlanError with the place of what is wrong."""
    document = _parse(text).unwrap()
    _known(document, _TOP_KEYS, "the top level")
    _typed(document, "the top level")
    if document.get("version") != VERSION:
        raise PlanError(
            f"The plan has version {document.get('version')!r}, and this migrator reads version {VERSION}.",
            next_step="Make a new one with: migrator plan SOURCE -o plan.toml",
        )
    default = _choice(Policy, document.get("policy", "reject"), "policy")
    if default in (Policy.WIDEN, Policy.BYTEA):
        raise PlanError(
            f'policy = "{default.value}" cannot stand at the top of the plan.',
            "It changes the type of a column, also of those whose values all fit.",
            "Write it in the lines of the columns that need it.",
        )
    reader = _Reader(document.get("rules", {}), default, schema)
    plan = Plan(
        style=_choice(Style, document.get("style", "faithful"), "style"),
        profile=str(document.get("profile", "none")),
        zone=str(document.get("zone", "UTC")),
        target_schema=str(document.get("schema", "public")),
        tables=tuple(reader.table(name, item) for name, item in document.get("tables", {}).items()),
        dropped_views=frozenset(name for name, item in document.get("views", {}).items() if item.get("drop")),
        fingerprint=dict(document.get("fingerprint", {})),
        dropped_triggers=frozenset(name for name, item in document.get("triggers", {}).items() if item.get("drop")),
    )
    reader.check_rules(plan)
    return plan


class _Reader:
    def __init__(self, rules: dict[str, dict[str, Any]], policy: Policy, schema: Schema) -> None:
        self._rules = rules
        self._policy = policy
        self._schema = schema
        self._matched: set[str] = set()

    def check_rules(self, plan: Plan) -> None:
        """Raise PlanError for a rule that matches no column; the columns of a new merge are not known yet."""
        unmatched = sorted(self._rules.keys() - self._matched)
        if unmatched and all(table.columns for table in plan.carried):
            raise PlanError(
                f"The rule {unmatched[0]!r} matches no column.",
                next_step='Patterns are compared with table.column, as in "users.*_at" or "*.created_at".',
            )

    def table(self, name: str, item: dict[str, Any]) -> TablePlan:
        where = f"[tables.{name}]"
        _known(item, _TABLE_KEYS, where)
        _typed(item, where)
        query = item.get("source")
        columns = item.get("columns", {})
        return TablePlan(
            source=name,
            target=str(item.get("target", table_name(name))),
            columns=tuple(self._column(name, query, column, line) for column, line in columns.items()),
            query=None if query is None else str(query).strip().rstrip(";"),
            key=tuple(item.get("key", ())),
            covers=tuple(item.get("covers", ())),
            accept_rows_dropped=int(item.get("accept_rows_dropped", 0)),
            drop=bool(item.get("drop", False)),
            rowid=item.get("rowid"),
            nullable_key=bool(item.get("nullable_key", False)),
            drop_indexes=tuple(item.get("drop_indexes", ())),
            orphans={
                tuple(columns.split(",")): _choice(Orphans, line.get("orphans", "not-valid"), where)
                for columns, line in item.get("foreign_keys", {}).items()
            },
        )

    def _column(self, table: str, query: str | None, name: str, line: dict[str, Any]) -> ColumnPlan:
        where = f"[tables.{table}.columns] {name}"
        if not isinstance(line, dict):
            raise PlanError(f"{where} is not an inline table.", next_step=f'Write: {name} = {{ type = "text" }}')
        for pattern, rule in self._rules.items():
            if fnmatch.fnmatchcase(f"{table}.{name}".lower(), pattern.lower()):
                self._matched.add(pattern)
                line = line | rule if line.get("rule", True) else line
        _known(line, _COLUMN_KEYS, where)
        _typed(line, where)
        return self._apply_policy(
            ColumnPlan(
                source=name,
                target=str(line.get("target", column_name(name))),
                type=_type(line.get("type", "text"), where),
                options=Options(**{field.name: line.get(field.name) for field in fields(Options)}),
                policy=_choice(Policy, line.get("policy", self._policy.value), f"policy of {where}"),
                collation=line.get("collation"),
                drop=bool(line.get("drop", False)),
                identity=bool(line.get("identity", False)),
                not_null=bool(line.get("not_null", False)),
                affinity=self._affinity(table, query, name),
            )
        )

    def _affinity(self, table: str, query: str | None, column: str) -> Affinity:
        if query is None:
            try:
                return self._schema.table(table).column(column).affinity
            except KeyError:
                pass
        return Affinity.BLOB

    @staticmethod
    def _apply_policy(column: ColumnPlan) -> ColumnPlan:
        """Two policies are answered by another type for the whole column."""
        if column.policy is Policy.WIDEN:
            return replace(column, type=parse_type("text"), options=Options(holds="number"))
        if column.policy is Policy.BYTEA:
            return replace(column, type=parse_type("bytea"), options=Options(holds="text"), collation=None)
        return column


def _parse(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise PlanError("The plan is not valid TOML.", f"{error}.", "Correct that line.") from error


def _known(item: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(item.keys() - known):
        raise PlanError(
            f"The plan has an unknown key at {where}: {', '.join(unknown)}.",
            next_step=f"Known are: {', '.join(sorted(known))}.",
        )


_TYPES: dict[type, tuple[str, set[str]]] = {
    bool: ("true or false", {"drop", "identity", "not_null", "nullable_key", "rule"}),
    int: ("a whole number", {"accept_rows_dropped", "version"}),
    list: ("a list of names", {"key", "covers", "drop_indexes"}),
    dict: ("a table", {"columns", "foreign_keys", "rules", "tables", "views", "triggers", "fingerprint"}),
}


def _typed(item: dict[str, Any], where: str) -> None:
    """Raise PlanError for a value of the wrong kind: drop = "no" is a text, and texts are true."""
    for key, value in item.items():
        wanted, words = next(((kind, words) for kind, (words, keys) in _TYPES.items() if key in keys), (str, "a text"))
        names = [value] if wanted is not list or not isinstance(value, list) else ["", *value]
        if type(value) is not wanted or (wanted is list and not all(isinstance(name, str) for name in names)):
            raise PlanError(f"{key} at {where} is {value!r}.", next_step=f"It has to be {words}.")


def _type(text: object, where: str) -> Any:
    try:
        return parse_type(str(text))
    except ValueError as error:
        raise PlanError(f"{where}: {error}.") from error


def _choice(kind: Any, text: object, where: str) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise PlanError(
            f"{where} has the value {text!r}.", next_step=f"Known are: {', '.join(member.value for member in kind)}."
        ) from error
