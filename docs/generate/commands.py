"""``docs/commands.md``: every command, its options, which of them are rarely needed, and the common flags it takes."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fabric.cli.main import cli
from fabric.cli.options import GROUPS, FabricCommand, RareOption, common_options
from generate.columns import commands

HEAD = """# Commands

<!-- Written by make docs; edit the help texts in the source. -->

`fabric COMMAND --help` lists the options that are often needed, `--help-all` the others too (here in italics). A flag
that changes nothing of a command is refused with exit code 2. Common flags may stand before the command; each has an
environment variable, `FABRIC_` and its name in capitals (`FABRIC_FORMAT=json`), which holds for commands that take it.
What rows are, and what the flags of rows do to them, is in [output.md](output.md#rows); exit codes are there too.

## Common flags

| flag | what it does |
| --- | --- |
"""


def page(_: str) -> str:
    """The whole page."""
    context = click.Context(cli, info_name="fabric")
    parts = [HEAD, *(_row(option, context) for option in common_options())]
    taken = [group for group in GROUPS if group != "always"]
    parts.append("\nWhich command takes which; all take `-q`, `-v`, `--max-errors` and `--max-memory`.\n\n")
    parts.append(f"| command | {' | '.join(_flags(group) for group in taken)} |\n")
    parts.append(f"| --- |{' :---: |' * len(taken)}\n")
    for words, command in commands():
        cells = ["x" if group in command.takes else "" for group in taken]
        parts.append(f"| `{' '.join(words)}` | {' | '.join(cells)} |\n")
    for words, command in commands():
        parts += _command(words, command, context)
    return "".join(parts)


def _flags(group: str) -> str:
    return " ".join(f"`{max(option.opts, key=len)}`" for option in common_options([group]))


def _command(words: Sequence[str], command: FabricCommand, above: click.Context) -> list[str]:
    context = click.Context(command, info_name=" ".join(words), parent=above)
    usage = " ".join([*words, *command.collect_usage_pieces(context)])
    text = " ".join((command.help or "").split("\f")[0].split()).replace("<", "&lt;").replace("*", "\\*")
    parts = [f"\n## fabric {' '.join(words)}\n\n{text}\n\n```text\nfabric {usage}\n```\n"]
    own = [param for param in command.own_params if isinstance(param, click.Option)]
    if own:
        parts.append("\n| option | what it does |\n| --- | --- |\n")
        parts += [_row(option, context) for option in own]
    return parts


def _row(option: click.Option, context: click.Context) -> str:
    flag, text = option.get_help_record(context) or (max(option.opts, key=len), "")
    shown = f"`{flag}`".replace("|", "\\|")
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return f"| {shown} | {f'*{text}*' if isinstance(option, RareOption) else text} |\n"
