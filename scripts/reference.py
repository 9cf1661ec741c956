"""The help of every verb, as README.md shows it. Started by scripts/reference."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from migrator.cli import cli

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- reference: made by scripts/reference -->"
END = "<!-- end of reference -->"
WIDTH = 100


def reference() -> str:
    """Markdown with one section per verb, in the order in which the program lists them."""
    return "\n\n".join(_sections(cli, "migrator"))


def _sections(group: click.Group, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _sections(command, f"{path} {name}")
        else:
            yield f"### {path} {name}\n\n```\n{_help(command, f'{path} {name}')}\n```"


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context).rstrip()


def rewritten(text: str) -> str:
    """The README with a fresh reference."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{reference()}\n\n{END}{tail}"


def main(arguments: list[str]) -> int:
    text = README.read_text(encoding="utf-8")
    fresh = rewritten(text)
    if arguments == ["--check"]:
        return int(text != fresh)
    README.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
