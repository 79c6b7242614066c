"""Growth of a design: family and switches are chosen for the last stage, and the first is designed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabric.design.design import design
from fabric.design.growth_stages import GrowthStage
from fabric.design.requirement import FALL_INTO_PARTS, Requirement, hosts_of
from fabric.design.result import Design, DesignResult
from fabric.growth.grow import GrowthRequest, grow
from fabric.growth.result import GrowthResult
from fabric.growth.rule import RULES, no_room
from fabric.growth.sizes import DEFAULT_FLOOR, GrowingNodes, StageWish
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import load_scenario_text
from topologies.errors import FabricError, ScenarioError

_FAMILIES_TRIED = 3


@dataclass(frozen=True, eq=False)
class DesignedGrowth:
    """Designs of the first stage, and the stages after it; None where nothing meets the requirement."""

    designs: DesignResult
    growth: GrowthResult | None


def design_growth(requirement: Requirement, *, top: int = 4, progress: Reporter = silent) -> DesignedGrowth:
    """Design the last stage, the first of the same family and switches, and the way between them.

    A family whose floor does not hold during the work gives way to the next, where there is one that does better.

    Raises
    ------
    ScenarioError
        When no family that is allowed grows (FP9704), or the stages do not (FP9703).
    """
    growing = _growing(requirement)
    grown: list[DesignedGrowth] = []
    refused: FabricError | None = None
    for _ in range(_FAMILIES_TRIED):
        designs, notes = _designs(growing, requirement.spec.require.growth, top, progress)
        chosen = designs.chosen
        if chosen is None:
            grown.append(DesignedGrowth(designs, None))
            break
        try:
            growth = _grown(growing, chosen, requirement.spec.require.growth, progress)
        except FabricError as error:
            refused = refused or error
        else:
            found = DesignedGrowth(replace(designs, notes=(*designs.notes, *notes)), growth)
            if growth.floor_kept:
                return found
            grown.append(found)
        families = {one.family for one in chosen.fabrics.values()}
        left = tuple(kind for kind in growing.spec.candidates.kinds if kind not in families)
        if not left:
            break
        growing = _with_candidates(growing, kinds=left)
    if not grown:
        raise refused or AssertionError("a family is tried")
    return grown[0]


def _designs(
    growing: Requirement, stages: Sequence[GrowthStage], top: int, progress: Reporter
) -> tuple[DesignResult, list[str]]:
    """Designs of the first stage, of the family and switches of the last, and what is to be said of that."""
    last = design(_at_size(growing, stages[-1]), top=1, progress=progress)
    notes: list[str] = []
    first = growing
    if last.chosen is not None:
        first = _of_the_same(growing, last.chosen)
        notes.append(f"family and switches are those of the last stage: {_parts(last.chosen)}")
    designs = design(first, top=top, progress=progress)
    if designs.chosen is None and last.chosen is not None:
        notes = ["the first stage has a family or switches of its own: none of the last stage's meets the requirement"]
        designs = design(growing, top=top, progress=progress)
    return designs, notes


def _grown(growing: Requirement, chosen: Design, stages: Sequence[GrowthStage], progress: Reporter) -> GrowthResult:
    """The stages after a design."""
    loaded = load_scenario_text(chosen.text, growing.directory / "design.fabric.yaml")
    nodes = GrowingNodes.of(loaded)
    wishes = tuple(_wish(stage, place, nodes) for place, stage in enumerate(stages))
    reserve = any(stage.without is not None for stage in stages)
    return grow(loaded, GrowthRequest(wishes, reserve=reserve), progress=progress)


def _growing(requirement: Requirement) -> Requirement:
    """The requirement with the families alone that grow, and without its growth."""
    spec = requirement.spec
    reserve = any(stage.without is not None for stage in spec.require.growth)
    known = [kind for kind in RULES.names() if not reserve or RULES[kind].with_room is not no_room]
    # Who names a family that may fall into parts takes that; as a default it is none to choose.
    default = [kind for kind in known if kind not in FALL_INTO_PARTS]
    kinds = tuple(kind for kind in (spec.candidates.kinds or default) if kind in known)
    if not kinds:
        raise ScenarioError(
            f"no family that is allowed {'can keep ports for later' if reserve else 'grows'}: "
            f"{', '.join(spec.candidates.kinds)}",
            where=("candidates", "kinds"),
            hint=f"families that do: {', '.join(known)}",
            code="FP9704",
        )
    candidates = spec.candidates.model_copy(update={"kinds": kinds})
    require = spec.require.model_copy(update={"growth": ()})
    return replace(requirement, spec=spec.model_copy(update={"candidates": candidates, "require": require}))


def _at_size(requirement: Requirement, stage: GrowthStage) -> Requirement:
    """The requirement at the size of a stage."""
    each = max(hosts_of(requirement).gpus_per_host, 1)
    gpus = stage.gpus if stage.gpus is not None else (stage.hosts or 0) * each
    sizes = {"gpus": gpus, "hosts": None} if requirement.spec.require.gpus is not None else {"hosts": stage.hosts}
    require = requirement.spec.require.model_copy(update=sizes)
    return replace(requirement, spec=requirement.spec.model_copy(update={"require": require}))


def _of_the_same(requirement: Requirement, chosen: Design) -> Requirement:
    """The requirement with the families and the switches of a design alone."""
    counted = chosen.fabrics.values()
    kinds = tuple(sorted({one.family for one in counted}))
    models = tuple(sorted({switch.model for one in counted for switch in one.switches}))
    return _with_candidates(requirement, kinds=kinds, switches=models, leaf=(), spine=())


def _with_candidates(requirement: Requirement, **update: tuple[str, ...]) -> Requirement:
    """The requirement with other candidates."""
    candidates = requirement.spec.candidates.model_copy(update=update)
    return replace(requirement, spec=requirement.spec.model_copy(update={"candidates": candidates}))


def _parts(chosen: Design) -> str:
    """Families and models of a design."""
    texts = []
    for name, counted in chosen.fabrics.items():
        models = dict.fromkeys(switch.model for switch in counted.switches)
        texts.append(f"{name} {counted.family} of {', '.join(models)}")
    return "; ".join(texts)


def _wish(stage: GrowthStage, place: int, nodes: GrowingNodes) -> StageWish:
    """A stage in whole nodes."""
    each = nodes.per_node(nodes.groups[0])
    count = stage.hosts if stage.hosts is not None else -(-(stage.gpus or 0) // each)
    return StageWish(count * each, DEFAULT_FLOOR if stage.floor is None else stage.floor, ("require", "growth", place))
