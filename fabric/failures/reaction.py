"""How a network reacts to a failure.

``converged``
    Routing runs again on what is left: shortest paths of the damaged fabric.
``frozen``
    Nothing runs again: every switch leaves out next hops that are dead, and divides over the others as before.
``blackhole``
    For the time of detection nobody knows: what is sent into dead links is lost; then the network converges.
``optimal``
    An ideal controller places all traffic anew: a bound.
``exported``
    What the exported tables of a dialect do by themselves.
"""

from __future__ import annotations

from typing import Literal, get_args

Reaction = Literal["converged", "frozen", "blackhole", "optimal", "exported"]
REACTIONS: tuple[Reaction, ...] = get_args(Reaction)
CONVERGED: Reaction = "converged"
FROZEN: Reaction = "frozen"
BLACKHOLE: Reaction = "blackhole"
REOPTIMISED: Reaction = "optimal"
EXPORTED: Reaction = "exported"
