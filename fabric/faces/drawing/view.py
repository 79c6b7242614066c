"""What a view is: one way to draw a routed phase.

One file of ``fabric/faces/drawing/views/`` is one view of ``fabric draw``, and declares ``SUMMARY``, ``ORDER`` and
``VIEW``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from topologies.plugin_folder import PluginFolder

if TYPE_CHECKING:
    from fabric.operate.cabling.result import CablingResult
    from fabric.pipeline.network import Network
    from fabric.result import PhaseRoute, RouteResult
    from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True)
class Picture:
    """What to draw of a view.

    ``at`` is a unit, pod or node; ``tier`` of the matrix; ``direction`` its links up or down; ``all_links`` draws more
    than 500; ``rack`` names racks of the elevation.
    """

    view: str
    at: str | None = None
    hops: int = 1
    tier: str | None = None
    direction: str = "up"
    all_links: bool = False
    rack: str | None = None  # name or pattern of racks


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn: a phase of a routed scenario, or a fabric in the worst cases of a failure sweep.

    ``heading`` stands instead of what the route says of itself; empty: it says it.
    """

    loaded: LoadedScenario
    result: RouteResult
    route: PhaseRoute
    heading: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """First word of the heading."""
        return self.loaded.scenario.name


@dataclass(frozen=True)
class View:
    """One view.

    Attributes
    ----------
    language : {"dot", "svg"}
        Of the text: Graphviz makes DOT into SVG or PNG; a view that is no graph is written as SVG, and only as that.
    text : callable
        The whole drawing. Raises FabricError where the view does not fit the network.
    of_links : bool
        Whether it colours links, so that each can be as full as in its worst failure case.
    of_scenario : callable, optional
        The whole drawing of a scenario and its fabrics, of a view that shows no traffic: nothing is routed for it.
    of_observed : callable, optional
        The whole drawing of a scenario and what is plugged, of a view that shows that and needs ``--observed``.
    """

    language: Literal["dot", "svg"]
    text: Callable[[Drawn, Picture], str]
    of_links: bool = True
    of_scenario: Callable[[LoadedScenario, Network, Picture], str] | None = None
    of_observed: Callable[[LoadedScenario, CablingResult], str] | None = None


VIEWS = PluginFolder("view", "fabric.faces.drawing.views", "VIEW", View)
