"""Wrong YAML in, exact message out. ``FABRIC_UPDATE_GOLDENS=1`` rewrites the expected texts: read the diff."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from scenario_stubs import REGISTRIES

from fabric.scenario.diagnostics import render
from fabric.scenario.load import LoadError, load_scenario

CASES = Path(__file__).parent / "cases"
FILES = sorted(path.name for path in CASES.glob("*.yaml") if not path.name.startswith("part-"))


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_scenario_says_exactly_this(name, monkeypatch):
    """A first line ``# --set PATH=VALUE`` gives overrides."""
    monkeypatch.chdir(CASES)
    first = Path(name).read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    overrides = first.removeprefix("# --set ").split(" --set ") if first.startswith("# --set ") else []
    with pytest.raises(LoadError, match=r".") as caught:
        load_scenario(name, overrides=overrides, registries=REGISTRIES)
    text = render(caught.value.problems, caught.value.sources, name=name)
    golden = Path(name).with_suffix(".txt")
    if os.environ.get("FABRIC_UPDATE_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_code_of_the_scenario_has_a_case():
    """Codes of the loader are listed here once more, so that a new one needs a case."""
    codes = {f"FP10{number:02d}" for number in range(11)} | {f"FP210{number}" for number in range(1, 8)}
    shown = set(re.findall(r"FP\d{4}", "".join(path.read_text(encoding="utf-8") for path in CASES.glob("*.txt"))))
    assert codes <= shown
