"""The columns of CSV and NDJSON in ``docs/output.md``, from the commands that write them."""

from __future__ import annotations

import importlib
import re

COMMANDS = ("route", "build", "traffic")


def page(text: str) -> str:
    """The page with the row of every command as its ``COLUMNS`` are.

    Raises
    ------
    ValueError
        When a command has no row.
    """
    for command in COMMANDS:
        columns = importlib.import_module(f"fabric.cli.commands.{command}").COLUMNS
        row = f"| `{command}` | {', '.join(f'`{name}`' for name in columns)} |"
        text, rows = re.subn(rf"^\| `{command}` \| .* \|$", row.replace("\\", r"\\"), text, flags=re.MULTILINE)
        if rows != 1:
            raise ValueError(f"docs/output.md has {rows} rows for {command}")
    return text
