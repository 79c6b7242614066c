"""Hosts as Slurm knows them: the output of ``scontrol show nodes``, of ``sinfo -N``, a list of names, or live."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from topologies.columns import Ints
from topologies.errors import nearest_hint
from topologies.registry import Injected
from topologies.units import TimeS
from traffic.files import read_beside
from traffic.host_names import HostNames
from traffic.hostlist import chosen_hosts
from traffic.placement import PlacementSite
from traffic.schedulers.live.answer import TIMEOUT_S, read_live
from traffic.schedulers.live.slurm_api import SlurmCluster
from traffic.schedulers.share_of_names import check_share_of_names
from traffic.schedulers.slurm_fields import STATES
from traffic.schedulers.slurm_nodes import SlurmFile, SlurmNode, read_slurm_nodes
from traffic.schedulers.sources import check_one_source
from traffic.slots import Slots, listed
from traffic.workload import PLACEMENTS

# Words of a state that a running job's own nodes have.
_OWN = ("ALLOCATED", "BLOCKED", "COMPLETING", "PLANNED", "RESERVED")


@PLACEMENTS.register("slurm", example={"path": "nodes.txt"})
def slurm(
    path: str | None = None,
    live: str | None = None,
    timeout: Annotated[TimeS, Field(gt=0)] = TIMEOUT_S,
    nodes: str | list[str] | None = None,
    partition: str | None = None,
    reservation: str | None = None,
    *,
    site: Injected[PlacementSite],
) -> Ints:
    """Ranks fill the free nodes of ``scontrol show nodes`` in its order, or the nodes named, whatever their state.

    Parameters
    ----------
    path : str, optional
        What ``scontrol show nodes`` printed (``-o``, ``-d`` and ``--json`` too), a table of ``sinfo -N``, or names as
        ``scontrol show hostnames`` and ``squeue -o %N`` print them; relative to the scenario. Nodes that no new job
        would get are passed over, GPUs in use (``GresUsed=``, ``AllocTRES=``) are not used, nodes that are no hosts of
        the job are left out; all of it is said.
    live : str, optional
        In place of a file: ``scontrol`` asks the controller by that command of this machine, an address such as
        ``http://head:6820`` a slurmrestd, with the token of the environment (SLURM_JWT). Nothing is changed there.
    timeout : float
        Seconds to wait for an answer.
    nodes : str or list of str, optional
        Host ranges, such as ``SLURM_JOB_NODELIST``: these nodes with all their GPUs, whoever has them, since the job
        that runs on them is this one. All free nodes if absent.
    partition, reservation : str, optional
        Only nodes of this partition or reservation.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        With file and line: an unknown or repeated host, or wrong slots (FP6210); when the controller cannot be read
        (FP6282 to FP6285, FP6287), or is of another fabric (FP6286); path and live both, or neither (FP6289).
    MissingProgramError
        When scontrol is not on this machine (FP6280).
    TrafficError
        When the file cannot be read or has too few slots (FP4025).
    """
    check_one_source("slurm", path, "live", live, {"timeout": None if timeout == TIMEOUT_S else timeout})
    if live is not None:
        answer = read_live(SlurmCluster(live, timeout))
        text, path = answer.text, answer.label
        site.say(*answer.said)
    else:
        path = str(path)
        text = read_beside(site.directory, path, "placement.path")
    slots = Slots(site, path)
    file = read_slurm_nodes(text, path)
    inside = _Inside(site, slots, file, path)
    if live is not None:
        site.say(*check_share_of_names([inside.host_name(node) for node in file.nodes], site.hosts, path))
    chosen = inside.select(partition, reservation)
    if nodes is not None:
        used = inside.named(nodes, chosen)
    elif not file.stated:
        used = chosen
        for node in used:
            inside.take_whole(node)
    else:
        used = inside.free(chosen, reservation)
    places = slots.places()
    site.say(*(f"{path}: {text}" for text in file.notes(_telling(used))))
    return places


class _Inside:
    """The nodes of a file, taken for a job."""

    def __init__(self, site: PlacementSite, slots: Slots, file: SlurmFile, path: str) -> None:
        self.site, self.slots, self.file, self.path = site, slots, file, path
        self.counted = any(node.gpus is not None or node.sliced for node in file.nodes)

    def select(self, partition: str | None, reservation: str | None) -> list[SlurmNode]:
        """Nodes of a partition and a reservation."""
        nodes = self.file.nodes
        for key, field, wanted in (
            ("partition", "Partitions", partition), ("reservation", "ReservationName", reservation),
        ):  # fmt: skip
            if wanted is not None:
                names = {name for node in nodes for name in node.names(field)}
                nodes = [node for node in nodes if wanted in node.names(field)]
                if not nodes:
                    hint = nearest_hint(wanted, sorted(names)) if names else f"no node of the file has {field}="
                    self.slots.problem(None, f"no node is in {key} {wanted!r}", hint)
        return nodes

    def host_name(self, node: SlurmNode) -> str:
        """The name by which the scenario has a node: its NodeName, or the host's own name or address."""
        own = self.slots.known(node.name)
        for other in node.addresses:
            if not own and self.slots.known(other):
                self.slots.note("is the host by NodeHostName or NodeAddr", f"{node.name} ({other})")
                return other
        return node.name

    def free(self, nodes: list[SlurmNode], reservation: str | None) -> list[SlurmNode]:
        """Take what is free of the nodes that a new job would get."""
        used = []
        for node in nodes:
            name = self.host_name(node)
            if not self.slots.known(name):
                self.slots.leave_out(node.line, name)
            elif why := node.unusable(reservation) or self._no_gpus(node):
                self.slots.pass_over(name, why)
            elif not self.counted:
                self.slots.note("the file does not count GPUs (Gres); all of the host are used", name)
                self.slots.add(node.line, name)
                used.append(node)
            else:
                self._take_free(node, name)
                used.append(node)
        return used

    def _no_gpus(self, node: SlurmNode) -> str:
        """Why a node has no GPU for a new job."""
        if node.used is None:
            return f"{node.shown}, and the file does not say how many GPUs are taken; scontrol show nodes -d does"
        if not self.counted:
            return ""
        if node.gpus is None:
            return "its GPUs are slices" if node.sliced else "no GPU in Gres"
        return "" if node.gpus > node.used else f"all {node.gpus} GPUs are taken"

    def _take_free(self, node: SlurmNode, name: str) -> None:
        total, used = node.gpus or 0, node.used or 0
        if used and not node.busy:
            self.slots.note("which of the GPUs are taken is not in the file; the first are used", name)
        if total < self.site.gpus_per_host:
            self.slots.note(f"has {total} GPUs in the file, {self.site.gpus_per_host} in the scenario", name)
        over = frozenset(range(total, self.site.gpus_per_host))
        self.slots.add(node.line, name, total - used, busy=node.busy | (over if node.busy else frozenset()))

    def named(self, nodes: str | list[str], chosen: list[SlurmNode]) -> list[SlurmNode]:
        """Take the nodes that are named, in their order, with all their GPUs."""
        try:
            names = chosen_hosts(nodes)
        except ValueError as error:
            self.slots.problem(None, f"nodes: {error}", "Slurm writes ranges like n[001-032,040]")
            return []
        index = HostNames(node.name for node in self.file.nodes)
        allowed = {node.name for node in chosen}
        taken = []
        for name in names:
            meant = index.find(name)
            if len(meant) != 1:
                what = f"may be {listed(index.names[at] for at in meant)}" if meant else "is not in the file"
                hint = "write the whole name" if meant else nearest_hint(name, index.names, "it lists")
                self.slots.problem(None, f"nodes: {name!r} {what}", hint)
                continue
            node = self.file.nodes[meant[0]]
            if node.name not in allowed:
                what = f"nodes: {name!r} is not in that partition or reservation"
                self.slots.problem(node.line, what, "leave the node or the partition out")
                continue
            self.take_whole(node)
            taken.append(node)
        return taken

    def take_whole(self, node: SlurmNode) -> None:
        """Take a node as the job's own."""
        name = self.host_name(node)
        down = [word for word in node.state if word not in _OWN and STATES.get(word, "unknown")]
        if down:
            place = f"{self.path}:{node.line}: " if node.line else f"{self.path}: "
            self.site.say(f"{place}{node.name} is {node.shown}; taken all the same, as nodes names it")
        elif node.gpus is not None and 0 < (node.used or 0) < node.gpus:
            self.slots.note("some of the GPUs are taken; all are used, as nodes names it", name)
        if self.counted and node.gpus is None:
            self.slots.note("has no whole GPUs in Gres; all of the host are used, as nodes names it", name)
        self.slots.add(node.line, name, node.gpus)


def _telling(nodes: list[SlurmNode]) -> list[str]:
    """Reported fields that say something of the nodes that are used."""
    telling = [
        key
        for key, differs in (("ActiveFeatures", True), ("Weight", True), ("Owner", False), ("MCS_label", False))
        if _tells(nodes, key, differs=differs)
    ]
    if any(node.values.get("AVAIL", "up") != "up" for node in nodes):
        telling.append("AVAIL")
    return telling + [f"Gres={kind}" for kind in dict.fromkeys(kind for node in nodes for kind in node.shares())]


def _tells(nodes: list[SlurmNode], key: str, *, differs: bool) -> bool:
    values = {node.values[key] if node.said(key) else "" for node in nodes}
    return len(values) > 1 if differs else bool(values - {""})
