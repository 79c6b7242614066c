"""The sample of ``README.md``: what a command prints today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ("<!-- sample: written by make docs -->\n", "<!-- end of sample -->\n")
SHOWN = ("train-2k", "phases", "hottest links", "llama70b:", "limits")  # how the parts begin that the sample keeps


def page(text: str) -> str:
    """``README.md`` with the sample as the command prints it today."""
    command = [str(Path(sys.executable).with_name("fabric")), "route", "examples/train-2k.fabric.yaml", "--top", "2"]
    style = ["--format", "table", "--color", "never", "--quiet"]
    printed = subprocess.run(
        [*command, *style],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    lines = [line.rstrip() for line in printed.splitlines()]
    parts = "\n".join(lines).strip("\n").split("\n\n")
    kept = "\n\n".join(part for part in parts if part.startswith(SHOWN))
    before, rest = text.split(SAMPLE[0])
    return f"{before}{SAMPLE[0]}\n```text\n{kept}\n```\n\n{SAMPLE[1]}{rest.split(SAMPLE[1])[1]}"
