"""The sizes of the stages: checked to grow, and what each means for the node groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric.scenario.load import LoadedScenario
from fabric.scenario.node_schema import NodeSpec
from topologies.errors import ScenarioError

DEFAULT_FLOOR = 0.8


@dataclass(frozen=True)
class StageWish:
    """A size to grow to; GPUs, or nodes where the scenario's nodes have none."""

    size: int
    floor: float = DEFAULT_FLOOR  # least part of the capacity that is left during the work before it
    where: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class GrowingNodes:
    """The node groups that grow: those with GPUs, or all where none has any."""

    groups: tuple[NodeSpec, ...]
    unit: str  # what sizes count: GPUs or nodes

    @staticmethod
    def of(loaded: LoadedScenario) -> GrowingNodes:
        """Of a scenario.

        Raises
        ------
        ScenarioError
            When it lists no nodes on a fabric (FP9701).
        """
        nodes = [node for node in loaded.scenario.nodes if node.nics]
        if not nodes:
            raise ScenarioError(
                "the scenario lists no nodes with NICs, so nothing says how many GPUs there are",
                where="nodes",
                hint="add for example nodes: [{group: gpu, model: hgx-h100-8, count: 64, nics: {main: {speed: 400G}}}]",
                code="FP9701",
            )
        with_gpus = tuple(node for node in nodes if node.gpus_per_node)
        return GrowingNodes(with_gpus or tuple(nodes), "GPUs" if with_gpus else "nodes")

    def per_node(self, node: NodeSpec) -> int:
        """What a node of a group counts for."""
        return node.gpus_per_node or 1

    @property
    def size(self) -> int:
        """What there is now."""
        return sum(node.count * self.per_node(node) for node in self.groups)

    def counts(self, size: int) -> Mapping[str, int]:
        """Nodes of every group at a size; several groups keep their proportions.

        Raises
        ------
        ScenarioError
            When whole nodes do not come to the size (FP9702).
        """
        if len(self.groups) == 1:
            counts = {self.groups[0].group: size // self.per_node(self.groups[0])}
        else:
            counts = {node.group: node.count * size // self.size for node in self.groups}
        there = sum(counts[node.group] * self.per_node(node) for node in self.groups)
        if there != size:
            above = {node.group: -(-node.count * size // self.size) for node in self.groups}
            more = sum(above[node.group] * self.per_node(node) for node in self.groups)
            each = " and ".join(f"{node.group} of {self.per_node(node)}" for node in self.groups)
            in_proportion = ", in the proportion of now" if len(self.groups) > 1 else ""
            raise ScenarioError(
                f"{size:,} {self.unit} are not whole nodes: {each}{in_proportion}",
                hint=f"grow to {there:,} or {more:,}",
                code="FP9702",
            )
        return counts


def check_sizes(present: int, wishes: Sequence[StageWish], unit: str) -> None:
    """Refuse stages that do not grow.

    Raises
    ------
    ScenarioError
        For a stage that shrinks, is no larger than the one before, or comes back to a size there was (FP9703).
    """
    before, seen = present, [present]
    for wish in wishes:
        if wish.size <= before:
            what = "is no larger than" if wish.size == before else "is smaller than"
            chain = " -> ".join(f"{size:,}" for size in (*seen, wish.size))
            cyclic = wish.size in seen and wish.size != before
            message = f"a stage of {wish.size:,} {unit} {what} the one before it, of {before:,}"
            if cyclic:
                message = f"stages go in a cycle: {chain} {unit}"
            ordered = sorted({size for size in (*[one.size for one in wishes], present) if size > present})
            way = f"grow to {', '.join(f'{size:,}' for size in ordered)}" if ordered else f"name more than {present:,}"
            raise ScenarioError(
                message, where=wish.where, hint=f"every stage is larger than the one before; {way}", code="FP9703"
            )
        before = wish.size
        seen.append(wish.size)


def with_steps(present: int, wishes: Sequence[StageWish], step: int | None) -> tuple[StageWish, ...]:
    """The stages with further ones between them, at most ``step`` apart.

    >>> [wish.size for wish in with_steps(512, [StageWish(2048)], 600)]
    [1112, 1712, 2048]
    """
    if step is None:
        return tuple(wishes)
    found: list[StageWish] = []
    before = present
    for wish in wishes:
        found += [StageWish(size, wish.floor, wish.where) for size in range(before + step, wish.size, step)]
        found.append(wish)
        before = wish.size
    return tuple(found)
