"""Whatever the text, the loader loads it or raises ScenarioError with problems that can be printed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabric.scenario.diagnostics import render
from fabric.scenario.load import LoadError, load_scenario
from fabric.scenario.schema import not_yet_modelled

DATA = Path(__file__).parent / "data"
TEXTS = [(DATA / name).read_text(encoding="utf-8") for name in ("complete.yaml", "quickstart.yaml")]
SPLICES = [
    *(
        "",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "  ",
        "\t",
        "'",
        '"',
        "&a ",
        "*a",
        "!x ",
        "#",
        "|",
        ">",
        "<<: ",
        "? ",
        "%",
        "@",
    ),
    *(
        "no",
        "~",
        "-1",
        "1e9",
        "x-",
        "99999999999999999999",
        ".nan",
        "日本",
        "\x07",
        "\x85",
        "400G",
        "{}",
        "[]",
        "0",
        "true",
    ),
    *("{index}", "{0}", "version", "gpu", "../../..", "---\n"),
]


@st.composite
def mutated(draw):
    """One of the two examples with up to four pieces replaced, moved or repeated."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(start + draw(st.integers(0, 30)), len(text))
        piece = draw(st.sampled_from(SPLICES) | st.text(max_size=5) | st.just(text[start:stop] * 2))
        text = text[:start] + piece + text[stop:]
    return text


def sound(path, *overrides):
    """Whether it loads, or is refused with problems that have a file and can be printed."""
    try:
        loaded = load_scenario(path, overrides=overrides)
    except LoadError as error:
        located = bool(error.problems) and all(problem.file for problem in error.problems)
        return located and render(error.problems, error.sources).endswith("(exit 3)\n")
    return isinstance(not_yet_modelled(loaded.scenario), list)


@given(text=mutated())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_scenarios_raise_only_scenario_errors(text, tmp_path):
    path = tmp_path / "mutated.yaml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    assert sound(path)


@given(content=st.binary(max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_raise_only_scenario_errors(content, tmp_path):
    path = tmp_path / "bytes.yaml"
    path.write_bytes(content)
    assert sound(path)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["main", "1 GiB", "400G"])
)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["kind", "id", "model", "x"]), below),
)
PATHS = [
    *("seed", "name", "nodes", "nodes.0", "nodes.0.nics", "nodes.hosts.name", "include", "site", "limits.0.max"),
    *("fabrics", "fabrics.main", "fabrics.main.topology", "fabrics.main.topology.leaf", "fabrics.main.attach"),
    *("fabrics.main.routing.router", "workloads", "workloads.0", "workloads.shuffle.kind", "workloads.shuffle.members"),
    *("limits", "limits.0.metric"),
]


@given(path=st.sampled_from(PATHS), value=VALUES)
@settings(max_examples=200, deadline=None)
def test_any_override_raises_only_scenario_errors(path, value):
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).removesuffix("\n...\n").strip()
    assert sound(DATA / "quickstart.yaml", f"{path}={text}")


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "a:\n" * 2, "? " * 500, "&a [*a]", "*a", "!!", "%YAML 9.9\n---\na"]
)
def test_hostile_texts_raise_only_scenario_errors(text, tmp_path):
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    assert sound(path)
