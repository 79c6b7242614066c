"""Scenarios on floors, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fabric.pipeline.network import Network, build_network
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.site.site_plan import SitePlan

MODELS = {
    "switches": [
        {"model": "leaf-1u", "ports": 64, "speed": "100G", "rack_units": 1, "max_w": 500, "source": "test"},
        {
            "model": "spine-4u",
            "ports": 64,
            "speed": "100G",
            "rack_units": 4,
            "max_w": 2000,
            "depth": "0.8 m",
            "source": "test",
        },
    ],
    "nodes": [
        {"model": "box-4u", "gpus": 0, "rack_units": 4, "max_w": 1000, "depth": "0.9 m", "source": "test"},
    ],
}


def room(
    hosts: int = 8,
    *,
    leaves: int = 4,
    spines: int = 2,
    leaf: str = "leaf-1u",
    spine: str = "leaf-1u",
    per_rack: int | None = 2,
    nodes: dict[str, Any] | None = None,
    topology: dict[str, Any] | None = None,
    **site: Any,
) -> dict[str, Any]:
    """A leaf-spine fabric on a floor of two rows of four racks; other keys of the site by name."""
    group = {"group": "h", "model": "box-4u", "count": hosts, "nics": {"main": {"count": 1, "speed": "100G"}}}
    if per_rack is not None:
        group["per_rack"] = per_rack
    plain = {
        "kind": "leaf-spine",
        "leaf": {"model": leaf, "count": leaves, "down": -(-hosts // leaves), "up": spines},
        "spine": {"model": spine, "count": spines},
    }
    return {
        "version": 1,
        "name": "room",
        "include": [{"catalog": "./models.yaml"}],
        "site": {"rows": 2, "racks_per_row": 4, "rack_units": 16, "overhead_tray": "2 m", **site},
        "nodes": [group | (nodes or {})],
        "fabrics": {"main": {"topology": topology or plain}},
    }


def written(folder: Path, scenario: dict[str, Any]) -> Path:
    """The scenario and its catalogue as files."""
    (folder / "models.yaml").write_text(yaml.safe_dump(MODELS), encoding="utf-8")
    path = folder / "room.fabric.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    return path


def loaded_room(folder: Path, scenario: dict[str, Any]) -> LoadedScenario:
    """The scenario, loaded."""
    return load_scenario(written(folder, scenario))


def planned(folder: Path, scenario: dict[str, Any]) -> tuple[LoadedScenario, Network, SitePlan]:
    """The scenario, its network and its plan."""
    loaded = loaded_room(folder, scenario)
    network = build_network(loaded)
    assert network.site is not None
    return loaded, network, network.site
