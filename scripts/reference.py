"""The help of every verb, as README.md shows it. Started by scripts/reference."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migrator.cli import cli

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- reference: made by scripts/reference -->"
END = "<!-- end of reference -->"
WIDTH = 100


def reference() -> str:
    """Markdown with one section per verb, in the order in which the program lists them."""
    sections = [
        f"### migrator {name}\n\n```\n{_help(command, f'migrator {name}')}\n```"
        for name, command in cli.commands.items()
    ]
    return "\n\n".join(sections)


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
