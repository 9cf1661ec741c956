"""Files that no parser should be given: each is named with its line and reason, and the rest is reported."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.core.progress import Silent
from migrator.steps.program import read_files

from .terminal import NOBODY, migrator, open_folder

GOOD = b'import sqlite3\ndef good():\n    sqlite3.connect("a.db").execute("SELECT 1 FROM t")\n'
LONGEST_S = 60

# By the name of the file: what is in it, the line that is named, and a word of the reason.
UNREADABLE: dict[str, tuple[bytes, int, str]] = {
    "binary.py": (bytes(range(256)) * 40, 2, "UTF-8"),
    "latin1.py": ("# one\n# zwei\nname = 'Grüße'\n".encode("latin-1"), 3, "UTF-8"),
    "lying.py": (b"# -*- coding: ascii -*-\n\nname = '\xc3\xa4'\n", 3, "UTF-8"),
    "unknown.py": (b"# -*- coding: klingon -*-\nname = 1\n", 1, "UTF-8"),
    "bom.py": (b"\xef\xbb\xbf# -*- coding: latin-1 -*-\n", 1, "UTF-8"),
    "utf16.py": ("name = 1\n".encode("utf-16"), 1, "UTF-8"),
    "nul.py": (b"a = 1\nb = '\0'\n", 2, "NUL"),
    "huge.py": (b"a = 1\n" * 3_500_000, 1, "MB"),
    "nested.py": (b"a = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n", 1, ""),
    "chained.py": (b"a = " + b" + ".join([b"'x'"] * 100_000) + b"\n", 1, "deep"),
    "attributes.py": (b"a = b" + b".c" * 100_000 + b"\n", 1, "deep"),
    "python2.py": (b"import sqlite3\nprint 'hello'\n", 2, "print"),
    "quote.py": (b"a = 1\nb = 'unfinished\n", 2, "string"),
    "triple.py": (b"a = 1\nb = '''unfinished\n\n\n", 2, "string"),
    "indent.py": (b"def a():\nreturn 1\n", 2, "indent"),
    "merge.py": (b"a = 1\n<<<<<<< HEAD\n", 2, ""),
    "text.sql": (b"SELECT 1;\nSELECT 'unfinished\n", 2, ""),
    "latin1.sql": ("SELECT 'Grüße';\n".encode("latin-1"), 1, "UTF-8"),
    "binary.sql": (bytes(range(1, 256)), 2, "UTF-8"),
}
# What is odd and can be read.
READABLE: dict[str, bytes] = {
    "empty.py": b"",
    "empty.sql": b"",
    "spaces.py": b" \n\t\n",
    "comment.sql": b"-- nothing\n",
    "bom.py": b"\xef\xbb\xbfname = 1\n",
    "cookie.py": "# -*- coding: latin-1 -*-\nname = 'Grüße'\n".encode("latin-1"),
    "mac.py": b"a = 1\rb = 2\r",
    "feed.py": b"a = 1\n\x0cb = 2\n",
    "sql.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("SELECT \'unfinished")\n',
    "surrogate.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("SELECT \\ud800 FROM t")\n',
    "nulsql.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("SELECT \\0 FROM t")\n',
    "create.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("CREATE TABLE \\ud800 (a \\0")\n',
    "deepsql.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("SELECT " + "(" * 9)\n',
    "parentheses.py": b'import sqlite3\ndef a(c: sqlite3.Connection): c.execute("SELECT ' + b"(" * 3000 + b'")\n',
    "chain.py": b"q = x" + b".a(1)" * 200 + b"\n",
    "plus.py": b"import sqlite3\ndef a(c: sqlite3.Connection): c.execute('S'" + b" + 'x'" * 200 + b")\n",
    "calls.py": b"import sqlite3\n"
    + b"".join(b"def f%d(c): return f%d(c)\n" % (n, n + 1) for n in range(600))
    + b"def f600(c): c.execute('SELECT 1'); return c\nf0(sqlite3.connect('a.db')).execute('SELECT 2')\n",
    "names.py": b"import sqlite3\nv0 = sqlite3.connect('a.db')\n"
    + b"".join(b"v%d = v%d\n" % (n + 1, n) for n in range(600))
    + b"v600.execute('SELECT 2')\n",
    "trigger.sql": b"CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1;",
}


def audited(folder: Path) -> tuple[int, dict[str, Any]]:
    begun = time.monotonic()
    answer = migrator("audit", folder, "--json")
    assert time.monotonic() - begun < LONGEST_S
    body = json.loads(answer.out)
    [table] = [table for table in body["tables"] if table["name"] == "t"]
    assert "good" in [place["function"] for place in table["read_by"]]
    return answer.code, body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.mkdir()
    (made / "good.py").write_bytes(GOOD)
    return made


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_named(name: str, folder: Path) -> None:
    raw, line, word = UNREADABLE[name]
    (folder / name).write_bytes(raw)
    code, body = audited(folder)

    assert code == 4
    [told] = body["unread"]
    assert (told["file"], told["line"]) == (name, line)
    assert word in told["reason"]


@pytest.mark.parametrize("name", READABLE)
def test_what_is_odd_is_read(name: str, folder: Path) -> None:
    (folder / name).write_bytes(READABLE[name])
    code, body = audited(folder)

    assert (code, body["unread"]) == (0, [])


def test_all_of_it_at_once_in_every_format(folder: Path) -> None:
    for name, (raw, _, _) in UNREADABLE.items():
        (folder / f"not_{name}").write_bytes(raw)
    for name, raw in READABLE.items():
        (folder / name).write_bytes(raw)

    for form in ("text", "markdown", "json", "sarif", "html"):
        answer = migrator("audit", folder, "--format", form)
        assert answer.code == 4
        assert answer.err.count("not read: ") == len(UNREADABLE)
        assert form == "sarif" or "good" in answer.out


def _loop(folder: Path) -> None:
    (folder / "a.py").symlink_to(folder / "b.py")
    (folder / "b.py").symlink_to(folder / "a.py")


def _gone(folder: Path) -> None:
    (folder / "gone.py").symlink_to(folder / "nowhere.py")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py")


@pytest.mark.parametrize(("make", "files"), [(_loop, ["a.py", "b.py"]), (_gone, ["gone.py"]), (_pipe, ["pipe.py"])])
def test_what_is_no_file(make: Callable[[Path], None], files: list[str], folder: Path) -> None:
    make(folder)
    code, body = audited(folder)

    assert code == 4
    assert [told["file"] for told in body["unread"]] == files


def test_links_are_followed_once(folder: Path) -> None:
    (folder / "up").symlink_to(folder)
    (folder / "again.py").symlink_to(folder / "good.py")
    outside = folder.parent / "outside.py"
    outside.write_bytes(GOOD)
    (folder / "linked.py").symlink_to(outside)
    code, body = audited(folder)

    [table] = body["tables"]
    assert code == 0
    assert [place["file"] for place in table["read_by"]] == ["good.py", "linked.py"]


def test_a_folder_may_be_called_like_a_file(folder: Path) -> None:
    (folder / "folder.py").mkdir()
    (folder / "folder.py" / "inner.py").write_bytes(GOOD)
    code, body = audited(folder)

    assert code == 0
    assert [place["file"] for place in body["tables"][0]["read_by"]] == ["folder.py/inner.py", "good.py"]


def test_names_that_are_no_text(folder: Path) -> None:
    (folder / "new\nline.py").write_bytes(GOOD)
    raw = os.fsencode(folder) + b"/\xff\xfe.py"
    with open(raw, "wb") as file:  # noqa: PTH123  # a Path is no place for such a name
        file.write(GOOD)
    code, body = audited(folder)

    assert code == 4
    assert [told["file"] for told in body["unread"]] == ["\\xff\\xfe.py"]
    assert [place["file"] for place in body["tables"][0]["read_by"]] == ["good.py", "new\nline.py"]
    assert "new‹U+000A›line.py:3" in migrator("audit", folder).out


@contextmanager
def without_rights() -> Iterator[None]:
    """As nobody, if this is root: root may read everything."""
    user = os.geteuid()
    os.seteuid(pwd.getpwnam(NOBODY).pw_uid if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_what_must_not_be_read() -> None:
    with open_folder() as folder:
        (folder / "good.py").write_bytes(GOOD)
        (folder / "secret.py").write_bytes(GOOD)
        (folder / "secret.py").chmod(0)
        (folder / "closed").mkdir(mode=0)
        with without_rights():
            files = read_files([folder], Silent())

    assert {told.file: told.reason for told in files.unread} == {
        "secret.py": "Permission denied",
        "closed": "Permission denied",
    }
    assert [module.name for module in files.code.tree.modules] == ["good"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(raw: bytes, folder: Path) -> None:
    (folder / "any.py").write_bytes(raw)
    (folder / "any.sql").write_bytes(raw)

    assert audited(folder)[0] in (0, 4)


FRAGMENTS = st.sampled_from(
    ["c.execute(", "f'{", "}'", "'SELECT ", '"""', "%s", ".format(", "with ", "async ", "lambda: ", "match a:\n  case ",
     "def a(c):\n  ", "class A:\n  ", "import sqlite3\n", "c = sqlite3.connect('a.db')\n", "\n", "  ", ")", "(",
     "@app.route('/')\n", "a.b[c] = ", "global c\n", "from . import *\n", "yield ", "*a, b = ", "'FROM t'", " + ",
     ":=", ",\n"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(FRAGMENTS, max_size=14))
def test_any_fragments(parts: list[str], folder: Path) -> None:
    (folder / "any.py").write_text("".join(parts), encoding="utf-8")

    assert audited(folder)[0] in (0, 4)
