"""Models of topograph, loaded as topograph's documentation says: ranges, parents, layers from the leaf to the root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from scheduler_plans import KINDS, built, plan_of, written

from fabric.share.schedulers.formats.topograph import DOMAIN


def _expanded(parts: list[str]) -> list[str]:
    """Names of compact ranges: one bracket, at the end."""
    names = []
    for part in parts:
        match = re.fullmatch(r"([^\[\]]*)\[([^\[\]]*)\]", part)
        for span in match[2].split(",") if match else [""]:
            low, _, high = span.partition("-")
            numbers = range(int(low), int(high or low) + 1) if match else [None]
            names += [f"{match[1]}{number:0{len(low)}d}" if match else part for number in numbers]
    return names


def _loaded(path: Path) -> dict[str, tuple[list[str], str | None]]:
    """Network layers and accelerator domain of every node."""
    model = yaml.safe_load(path.read_text())
    assert set(model) <= {"switches", "blocks"}
    parent: dict[str, str] = {}
    for name, switch in model["switches"].items():
        assert switch is not None, "an empty definition is refused"
        for child in switch.get("switches", []):
            assert child not in parent, "a switch has one parent"
            parent[child] = name
    nodes: dict[str, tuple[list[str], str | None]] = {}
    for block in model["blocks"]:
        assert block["nodes"], "a block has nodes"
        assert block["switch"] in model["switches"]
        layers = [block["switch"]]
        while layers[-1] in parent:
            layers.append(parent[layers[-1]])
        for name in _expanded(block["nodes"]):
            assert name not in nodes, "a node is in one block"
            nodes[name] = (layers, block.get("annotations", {}).get(DOMAIN))
    return nodes


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_gives_every_node_its_groups_from_the_lowest_up(tmp_path: Path, kind: str) -> None:
    plan = plan_of(built(kind))
    nodes = _loaded(written(tmp_path, plan, "topograph") / "model.yaml")
    tree = plan.trees["net"]
    assert len(nodes) == len(tree.attached)
    sizes = [len(level) for level in tree.levels]
    for host in tree.attached.tolist():
        layers, domain = nodes[tree.hosts[host].replace("/", "-").replace("_", "-").lower()]
        wanted = [tree.levels[level].names[tree.group_at[level][host]] for level in range(len(sizes))]
        assert [re.sub("-[0-9a-f]{6}$", "", layer) for layer in layers] == [
            re.sub(r"[^A-Za-z0-9._-]", "-", name).strip("-") for name in wanted
        ]
        assert domain is None


def test_the_second_parser_expands_ranges_as_the_documentation_does() -> None:
    assert _expanded(["n[1-4]", "gpu[001-003,7]", "node9"]) == [
        "n1", "n2", "n3", "n4", "gpu001", "gpu002", "gpu003", "gpu7", "node9",
    ]  # fmt: skip
