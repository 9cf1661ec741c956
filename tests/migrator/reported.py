"""A run with everything there is to report: hostile names and values, rejected rows, healed values, views, findings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .moving import edited, make_source
from .terminal import migrator

EVIL = "<script>alert(1)</script>"
TURNED = "photo\u202egnp.exe"  # is shown as photoexe.png
SOURCE = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);
INSERT INTO rooms VALUES (1, 'kitchen'), (2, 'hall');
CREATE TABLE readings (
    id INTEGER PRIMARY KEY, value REAL, width INTEGER, note TEXT, room INTEGER REFERENCES rooms
);
INSERT INTO readings (id, value) SELECT value, 'about ' || value FROM json_each('[1,2,3,4,5]');
INSERT INTO readings (id, width) VALUES (6, ''), (7, '');
INSERT INTO readings (id, note) VALUES (8, 'a' || char(0) || 'b');
INSERT INTO readings (id, room) VALUES (9, 77);
INSERT INTO readings (id, value) VALUES (10, 1.5);
CREATE TABLE "{EVIL}" ("<img src=x onerror=alert(2)>" TEXT PRIMARY KEY, "a""b'c" INTEGER);
INSERT INTO "{EVIL}" VALUES ('</style><b onclick="x">', 'no <i>number</i>'), ('"quoted"', 1);
CREATE TABLE "{TURNED}" ("\u2066x" TEXT, "{"long" * 15}" TEXT);
CREATE TABLE "שולחן" (id INTEGER PRIMARY KEY);
CREATE VIEW "<b>bright</b>" AS SELECT name FROM rooms WHERE id > 1;
CREATE VIEW left_out AS SELECT hex(randomblob(4)) AS "<u>";
CREATE TRIGGER shout AFTER INSERT ON rooms BEGIN UPDATE rooms SET name = '<s>' || upper(name); END;
"""


@dataclass(frozen=True)
class Everything:
    """A run with everything there is to report, and what `run --json` said of it."""

    folder: Path
    said: dict[str, Any]

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def page(self) -> Path:
        assert migrator("report", "--run-dir", self.runs).code == 0
        [page] = self.runs.glob("*/report.html")
        return page


def run_everything(folder: Path, database: str) -> Everything:
    source, plan = make_source(folder / "home & garden.db", SOURCE), folder / "plan.toml"
    assert migrator("plan", source, "-o", plan).code == 7
    text = plan.read_text(encoding="utf-8").replace('orphans = "not-valid"', 'orphans = "reject"')
    text = edited(text, "readings.width", policy="null-if-empty")
    plan.write_text(edited(text, "readings.note", policy="strip-nul"), encoding="utf-8")
    answer = migrator("run", source, database, "--plan", plan, "--run-dir", folder / "runs", "--json")
    assert answer.code == 3
    return Everything(folder, json.loads(answer.out))
