"""Places in YAML text, and the values read from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fabric.scenario import positions
from fabric.scenario.diagnostics import render
from fabric.scenario.positions import decode, read_yaml
from topologies.errors import Problem, ScenarioError

TEXT = """\
# comment
a: {model: "é日本", n: [1, 'b c', 2.5]}
"k": |
  block
empty:
list:
  - x: 1.0e-3
  - &anchor {y: 0x10, z: 1_000}
  - *anchor
last: plain text  # comment
"""


def places(text):
    """(line, column, length) of every value, by path."""
    found = {}

    def walk(tree, path):
        found[path] = (tree.place.line, tree.place.column, tree.place.length)
        children = tree.value.items() if isinstance(tree.value, dict) else enumerate(tree.items)
        for key, child in children:
            walk(child, (*path, key))

    walk(read_yaml(text, "f"), ())
    return found


def test_values_are_found_where_they_are_written():
    found = places(TEXT)
    assert found["a", "model"] == (2, 12, 5)
    assert found["a", "n", 1] == (2, 26, 5)
    assert found["empty",] == (5, 7, 0)
    assert found["list", 2, "y"] == (8, 17, 4)
    assert found["last",] == (10, 7, 10)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without libyaml")
@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), "\ufeffa: 1\nb:\n  c: 'x\n\n    y'\n"])
def test_libyaml_and_python_agree_on_places(text, monkeypatch):
    text = decode(text.encode(), "f")
    fast = places(text)
    monkeypatch.setattr(positions, "_Loader", yaml.SafeLoader)
    assert places(text) == fast


def test_values_are_those_of_pyyaml():
    assert read_yaml(TEXT, "f").plain() == yaml.safe_load(TEXT)


@pytest.mark.parametrize(
    "text", ["yes", "No", "ON", "off", "y", "N", "010", "-07", "08", "0o17", "1e9", "1.5e3",
             "2026-11-23", "2026-11-23 10:00:00", ".inf", "-.INF", ".nan", "9" * 30, "9" * 5000, "1.0e+999"],
)  # fmt: skip
def test_traps_are_refused_plain_and_allowed_in_quotes(text):
    with pytest.raises(ScenarioError, match=r"^f:1:6: ") as caught:
        read_yaml(f"key: {text}", "f")
    assert [problem.code for problem in caught.value.problems] == ["FP1003"]
    assert read_yaml(f"key: '{text}'", "f").plain() == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("~", None), ("null", None), ("0", 0), ("-3", -3), ("0x1f", 31),
     ("1_000", 1000), ("1.5e+3", 1500.0), ("0.5", 0.5), (".5", 0.5), ("400G", "400G"), ("100%", "100%"),
     ("10.64.0.0/14", "10.64.0.0/14"), ("1 GiB", "1 GiB"), ("1e9 B", "1e9 B"),
     ("12:30", "12:30"), ("12:30.5", "12:30.5"), ("1:30:00", "1:30:00"), ("-1:30", "-1:30"),
     ("!!str 5", "5"), ("=", "="), ("nothing", "nothing")],
)  # fmt: skip
def test_ordinary_scalars_are_read(text, value):
    read = read_yaml(f"key: {text}", "f").plain()["key"]
    assert (read, type(read)) == (value, type(value))


def test_a_ratio_is_text_as_it_is_written():
    """YAML 1.1 reads 7:1 as 7 · 60 + 1 where the second number is below 60; also inside braces and as a key."""
    for down in range(1, 100):
        for up in (*range(1, 100), "1.125", "0.5"):
            ratio = f"{down}:{up}"
            tree = read_yaml(f"a: {ratio}\nb: {{c: {ratio}, d: [{ratio}]}}\n{ratio}: e\n", "f")
            assert tree.plain() == {"a": ratio, "b": {"c": ratio, "d": [ratio]}, ratio: "e"}


def test_the_way_out_of_an_exponent_can_be_followed():
    for text in ("1e9", "1.5e3", "-2e+1"):
        with pytest.raises(ScenarioError, match="write ") as caught:
            read_yaml(f"key: {text}", "f")
        advice = caught.value.problems[0].hint.removeprefix("write ").split(", or ")[0]
        assert read_yaml(f"key: {advice}", "f").plain() == {"key": float(text)}


@pytest.mark.parametrize(
    "text", ["a: !!int x", "a: !!bool maybe", "a: !!float x", "a: !!map x", "a: !!seq {}", "a: !!binary aa"]
)
def test_tags_that_do_not_fit_are_refused(text):
    with pytest.raises(ScenarioError, match=r"not allowed|not a number") as caught:
        read_yaml(text, "f")
    assert len(caught.value.problems) == 1


def test_aliases_inside_dropped_keys_cannot_nest_without_bound():
    """Every list holds the one before: 3,000 deep once expanded, three deep as written."""
    chain = ", ".join(["&a0 []", *(f"&a{number} [*a{number - 1}]" for number in range(1, 3000))])
    with pytest.raises(ScenarioError, match="nested more than 100 deep"):
        read_yaml(f"x-chain: [{chain}]\nkey: *a2999\n", "f")


def test_moderate_aliases_are_allowed():
    text = "a: &a [1, 2, 3]\nb: [*a, *a, *a]\nc: {<<: {d: *a}}\n"
    assert read_yaml(text, "f").plain() == yaml.safe_load(text)


def test_control_characters_never_reach_the_terminal():
    text = "a: '\x1b[31m'\n"
    with pytest.raises(ScenarioError, match=r"U\+001B") as caught:
        read_yaml(text, "f")
    assert "\x1b" not in render(caught.value.problems, {"f": text})


def test_the_count_line_tells_errors_from_warnings():
    problems = [Problem("m", severity="warning"), Problem("m"), Problem("n", file="f", line=9, column=1)]
    assert render(problems, {"f": "a"}).endswith("\n\n2 errors, 1 warning in f (exit 3)\n")
    assert render(problems[:1], {}, name="s").endswith("1 warning in s\n")


def test_printing_problems_loads_no_schema():
    code = (
        "import sys, fabric.scenario.diagnostics; print([m for m in ('pydantic', 'numpy', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
