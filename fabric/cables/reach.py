"""Links that nothing reaches, or that cannot be made of what was asked for: said at their tier, with what would do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.cables.media import TOO_FAR, UNKNOWN, ChosenKits, LinkMedia, reaches
from fabric.cables.wanted import AUTO
from topologies.catalogue import Catalogue
from topologies.errors import Problem
from topologies.link_kits import FIBRES, LinkEnd, kits
from topologies.units import format_gbps


def reach_problems(
    catalogue: Catalogue, fabric: str, tiers: Sequence[str], keys: Sequence[str], media: LinkMedia, chosen: ChosenKits
) -> list[Problem]:
    """One problem for every tier with a link that nothing reaches."""
    worst: dict[tuple[str, str], int] = {}
    for row in np.flatnonzero(chosen.kit == TOO_FAR).tolist():
        at = (tiers[row], keys[row])
        if at not in worst or media.run_m[row] > media.run_m[worst[at]]:
            worst[at] = row
    return [_too_far(catalogue, fabric, tier, key, media, row) for (tier, key), row in sorted(worst.items())]


def _too_far(catalogue: Catalogue, fabric: str, tier: str, key: str, media: LinkMedia, row: int) -> Problem:
    """What is wrong with the longest link of a tier, and what would do."""
    run, medium = float(media.run_m[row]), media.wanted[int(media.wanted_code[row])]
    ends = (LinkEnd(int(media.links[0][row])), LinkEnd(int(media.links[1][row])))
    every = kits(catalogue, float(media.gbps[row]), *ends)
    speed = format_gbps(float(media.gbps[row]))
    longest = reaches(catalogue, every)
    able = {name: reach for name, reach in longest.items() if reach >= run}
    where = ("fabrics", fabric, "cables", key) if key else ("fabrics", fabric, "topology")
    others = ", ".join(f"{name} (to {reach:g} m)" for name, reach in able.items() if name != medium)
    if medium == AUTO:
        far = ", ".join(f"{name} {reach:g} m" for name, reach in longest.items())
        message = f"a cable of {tier} runs {run:.1f} m; at {speed} the catalogue reaches: {far}"
        hint = "let racks stand nearer (site), or add cables and optics that reach so far to a catalogue"
    elif medium not in longest:
        message = f"nothing in the catalogue makes a {speed} link of {tier} of {medium}"
        hint = f"it can be {others}; write {key}: auto" if others else "add a row to a catalogue"
    elif longest[medium] < run:
        message = f"a cable of {tier} runs {run:.1f} m, and {medium} at {speed} reaches {longest[medium]:g} m"
        hint = f"{others} would do; write {key}: auto" if others else "let racks stand nearer (site)"
    elif medium not in FIBRES and not _between_two(media, row):
        message = f"the links of a cage of {tier} lead to several cages, and a {medium} joins two whole ones"
        hint = f"write {key}: auto, or mmf or smf, whose fibres part behind the cage"
    else:
        message = f"no length of {medium} that is sold for {run:.1f} m of {tier} is within its reach at {speed}"
        hint = f"{others} would do; write {key}: auto" if others else "add the length to the catalogue's stock"
    return Problem(message, code="FP3302" if medium == AUTO else "FP3301", where=where, hint=hint)


def _between_two(media: LinkMedia, row: int) -> bool:
    """Whether the cages of a link hold one link each."""
    return int(media.links[0][row]) == int(media.links[1][row]) == 1


def unknown_note(fabric: str, tiers: Sequence[str], media: LinkMedia, chosen: ChosenKits) -> list[str]:
    """What is to be said of links that the catalogue makes of nothing."""
    rows = np.flatnonzero(chosen.kit == UNKNOWN)
    kinds = dict.fromkeys((tiers[row], float(media.gbps[row])) for row in rows.tolist())
    return [
        f"{fabric}: the catalogue has no cable and no optics for a {format_gbps(gbps)} link of {tier}: its medium is "
        "left open, and its length is the run; add rows to a catalogue that is included"
        for tier, gbps in kinds
    ]
