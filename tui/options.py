"""What the command line asks of the terminal UI."""

from __future__ import annotations

from dataclasses import dataclass, field

from fabric.request import RouteRequest
from tui.measuring import Measured
from tui.recording import Recording


@dataclass(frozen=True)
class Start:
    """What to open and how to look."""

    path: str | None = None
    overrides: tuple[str, ...] = ()
    request: RouteRequest = field(default_factory=RouteRequest)
    ascii: bool = False
    theme: str = "dark"
    record: str | None = None
    replay: Recording | None = None
    speed: float = 1.0
    measured: Measured = field(default_factory=Measured)
    leave: bool = False  # when the replay is over
