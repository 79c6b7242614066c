"""65,536 hosts in the terminal UI: a saved result opens and is walked screen by screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pilot import drive, press, screen_lines
from textual.pilot import Pilot

from fabric.pipeline.run import Run, route
from fabric.request import RouteRequest
from fabric.saved.result_file import save_result
from fabric.scenario.load import load_scenario
from tui.app import FabricApp


@pytest.mark.slow
def test_a_result_of_65536_hosts_is_walked_from_the_overview_to_a_link(tmp_path: Path) -> None:
    """A fat tree of radix 64: 5,120 switches, 393,216 directed links; every screen is whole."""
    loaded = load_scenario("examples/fat-tree-k48.fabric.yaml", overrides=["fabrics.main.topology.radix=64"])
    path = tmp_path / "large.fpr"
    save_result(path, Run(loaded, RouteRequest(), route(loaded)))

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        assert app.session is not None
        text = await press(app, pilot, "2")
        assert "2,048 × " in text
        text = await press(app, pilot, "4", "end")
        assert "393,216 rows" in text
        await press(app, pilot, "home", "enter")
        assert app.session.selection.kind == "link"
        text = await press(app, pilot, "3")
        assert "edge" in text
        await press(app, pilot, "g", *"pod63/edge31", "enter")
        assert app.session.selection.name == "pod63/edge31"
        assert "ports used" in "\n".join(screen_lines(app))

    drive(steps, str(path))
