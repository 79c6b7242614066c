"""The example room, with counters that read as if a switch of it were down."""

from __future__ import annotations

from pathlib import Path

from fabric.operate.forecast import forecast
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

ROOM = "examples/cabling/room.fabric.yaml"
LLDP = "lldp:examples/cabling/lldp"


def counters_without(switch: str, folder: Path) -> Path:
    """Rates of the room without a switch: its links read nothing, the others what they carry then."""
    other = forecast(run_scenario(load_scenario(ROOM), RouteRequest(down=(switch,))))[0]
    path = folder / "loads.csv"
    rows = [f"{other.topology.link_name(at)},{rate:.9g}\n" for at, rate in enumerate(other.mean_gbps.tolist())]
    path.write_text("link,gbps\n" + "".join(rows), encoding="utf-8")
    return path
