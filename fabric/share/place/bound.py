"""A lower bound on the step time of any placement of a job on whole free hosts of this fabric, whatever the routing.

**Inside or across.** A *domain* is what scale-up links join: a host, or several; it has D GPUs. A *group* is a
communicator of n ranks, of one kind: tensor, context, data, pipeline parallel. Let Q be the kinds all of whose groups
lie inside domains. Ranks that are joined by groups of Q lie in one domain, so the product N of the sizes of Q is at
most D, and no group of another kind has more than m = ⌊D / N⌋ members in a domain. The bound is the least step over
all Q: whichever Q a placement has, its step is no less.

**Both at once.** Where a kind p with n <= D is across, some host has parts of it that are not whole groups: with e >=
1, D / n + e groups of p lie in that host, and they send e S at least ((e + 1) S for an all-reduce). A host with L
groups of p has at least D / L groups of any other kind r, since L_p L_r >= D for D ranks of a grid; r's parts then
send (D / L - D / n_r) S. Spreading p therefore helps r only so far; the least over e counts.

**A kind across** has a group, or all where n > D, in k >= n / m parts, two at least. Between parts pass, whatever the
algorithm, at least (k − 1) S for a reduce-scatter or an all-gather of S, twice that for an all-reduce without help of
switches, (n − m) S for an all-to-all, and out of every part all that a ring sends where the library runs rings; over
the NICs of its n members, of which the busiest has no less than the mean. Where m is 1 every pair is across, and the
phase takes what its NICs need. Messages from stage to stage take one NIC for one of them.

**Cuts.** Groups of hosts that one domain lies in are taken together: ranks reach each other there over scale-up links,
and not over the cut. Where a group of ranks is larger than what any such part has free, the same counts hold with m the
most ranks that one has, over all links out of groups of hosts together, as what passes between parts leaves a group.
Phases last as long as the slower of both.

The step grows with the time of every phase, so the least times make a bound. It is loose where groups of ranks fit a
group of hosts one by one but not all together, for messages between hosts (their latency is not counted), for kinds
whose groups overlap (experts), and for what a hash or other jobs cost.

References
----------
Patarasu and Yuan, JPDC 2009, theorem 1, for the bytes of an all-reduce; those of reduce-scatter, all-gather and
all-to-all are what the parts do not have.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from fabric.evaluation.phases import ideal_window_s, nominal_gbps
from fabric.evaluation.schedule import LineRate
from fabric.evaluation.step_time import parts_of, phase_time_s
from fabric.pipeline.prepared import line_rates
from fabric.share.place.cuts import LevelCut, fabric_cuts
from fabric.share.place.setting import PlaceSetting
from topologies.columns import Ints, column
from traffic.workload import Phase, WorkloadTraffic

_DIMS = {"tp": ("tp",), "cp": ("cp",), "pp": ("pp",), "dp": ("dp", "cp")}
_OPERATIONS = ("all-reduce", "reduce-scatter", "all-gather", "all-to-all", "send-recv")
_NOT_COUNTED = ("node-deduplicated",)  # algorithms that send fewer bytes than the operation alone says


@dataclass(frozen=True)
class StepBound:
    """The bound, and what it rests on.

    Attributes
    ----------
    step_s : float
        No placement is faster.
    inside : tuple of str
        Kinds of groups that lie inside domains where it is reached.
    by_cut : tuple of str
        Phases whose time is that of a cut.
    """

    step_s: float
    inside: tuple[str, ...]
    by_cut: tuple[str, ...]


@dataclass(frozen=True)
class _Kind:
    """Phases whose groups are of one kind."""

    name: str
    dims: tuple[str, ...]  # empty where how it lies over the ranks is not known
    size: int


def step_bound(setting: PlaceSetting, workload: WorkloadTraffic | None = None) -> StepBound | None:
    """The bound; None where the time of a step is not known, or the fabric of the collectives has no NICs.

    Parameters
    ----------
    workload : WorkloadTraffic, optional
        The job's traffic; default: as the scenario places it.
    """
    return _Bound(setting, workload or setting.workload).least()


class _Bound:
    def __init__(self, setting: PlaceSetting, workload: WorkloadTraffic) -> None:
        self._setting, self._workload = setting, workload
        self._phases = [phase for phase in workload.phases if phase.every_step and not phase.steady]
        self._domain = setting.per_host * setting.hosts_per_domain
        self._rates = line_rates(setting.loaded, setting.network)
        self._cuts = fabric_cuts(setting.network)[setting.fabric]
        ends = setting.network.inventory.host_endpoints(setting.fabric, setting.group)
        self._ends = ends[setting.free]
        gpu_ends = setting.network.inventory.gpu_endpoints(setting.fabric, setting.group)
        self._own_nics = all(len(np.unique(row)) == setting.per_host for row in gpu_ends[:1])
        rate = self._rates[setting.fabric]
        self._nic_bytes_per_s = (
            float(nominal_gbps(rate.topology)[self._ends].max(initial=0.0)) * rate.efficiency * 1e9 / 8
        )
        self._plain = self._is_plain()

    def _is_plain(self) -> bool:
        """Whether kinds are the dimensions of one grid, each group along its own."""
        sizes = self._setting.grid.sizes
        if self._setting.grid.folded is not None or sizes["ep"] > 1:
            return False
        return all(
            phase.group_size == prod(sizes[dim] for dim in _DIMS[name])
            for phase in self._phases
            if (name := _kind_of(phase)) in _DIMS
        )

    def _kinds(self) -> list[_Kind]:
        found: dict[str, _Kind] = {}
        for phase in self._phases:
            name = _kind_of(phase)
            dims = _DIMS.get(name, ()) if self._plain else ()
            before = found.get(name)
            found[name] = _Kind(name, dims, max(phase.group_size, before.size if before else 0))
        return list(found.values())

    def least(self) -> StepBound | None:
        """The least step over all sets of kinds that may lie inside domains."""
        if not self._nic_bytes_per_s or not self._phases:
            return None
        kinds = self._kinds()
        small = [kind for kind in kinds if kind.size <= self._domain]
        best: StepBound | None = None
        for inside in (some for count in range(len(small) + 1) for some in itertools.combinations(small, count)):
            if self._joined(inside) > self._domain:
                continue
            bound = self._step(inside)
            if bound is not None and (best is None or bound.step_s < best.step_s):
                best = bound
        return best

    def _joined(self, inside: Sequence[_Kind]) -> int:
        """Ranks that groups of these kinds join, at least."""
        if all(kind.dims for kind in inside):
            return prod(self._setting.grid.sizes[dim] for dim in {dim for kind in inside for dim in kind.dims})
        return max((kind.size for kind in inside), default=1)

    def _most(self, phase: Phase, inside: Sequence[_Kind]) -> int:
        """Members that a group of a phase that is across may have in a domain."""
        name, size = _kind_of(phase), phase.group_size
        dims = _DIMS.get(name, ()) if self._plain else ()
        room = self._domain
        if dims and all(kind.dims for kind in inside):
            near = {dim for kind in inside for dim in kind.dims}
            shared = prod(self._setting.grid.sizes[dim] for dim in near & set(dims))
            room = self._domain // self._joined(inside) * shared
        return max(min(room, size), 1)

    def _step(self, inside: Sequence[_Kind]) -> StepBound | None:
        """The least step where these kinds lie inside domains, and no other."""
        names = {kind.name for kind in inside}
        times, by_cut = [], []
        for phase in self._phases:
            if _kind_of(phase) in names:
                times.append((phase, self._inside_s(phase)))
                continue
            near, cut = self._across_s(phase, self._most(phase, inside)), self._cut_s(phase)
            by_cut += [phase.name] if cut > near else []
            times.append((phase, max(near, cut)))
        parts = parts_of(self._workload, times)
        if parts is None:
            return None
        step = max([parts.step_s, *(self._split_step_s(kind, times, names) for kind in self._splittable(names))])
        return StepBound(step, tuple(sorted(names)), tuple(by_cut))

    def _inside_s(self, phase: Phase) -> float:
        """The least time of a phase all of whose groups lie inside domains; the same in each of them."""
        if phase.fabric is not None or not phase.inside_s:
            return 0.0
        return phase_time_s(phase, 0.0) if self._setting.hosts_per_domain == 1 else phase.inside_s

    def _splittable(self, inside: set[str]) -> list[_Kind]:
        """Kinds that would fit a host and are across, where hosts are domains that the job fills."""
        setting = self._setting
        if not self._plain or not self._own_nics or setting.hosts_per_domain > 1 or setting.ranks % self._domain:
            return []
        return [
            kind for kind in self._kinds() if kind.dims and kind.name not in inside and not self._domain % kind.size
        ]

    def _split_step_s(self, kind: _Kind, times: Sequence[tuple[Phase, float]], inside: set[str]) -> float:
        """The least step where a host has parts of groups of one kind."""
        found = []
        whole = self._domain // kind.size
        for extra in range(1, self._domain - whole + 1):
            held = whole + extra  # groups of the kind in the host
            raised = [
                (
                    phase,
                    max(seconds, self._part_s(phase, kind, extra, held)) if _kind_of(phase) not in inside else seconds,
                )
                for phase, seconds in times
            ]
            parts = parts_of(self._workload, raised)
            found.append(parts.step_s if parts else np.inf)
        return min(found, default=0.0)

    def _part_s(self, phase: Phase, kind: _Kind, extra: int, held: int) -> float:
        """The least time of a phase for the NICs of a host that has so many groups of a kind, not all of them whole."""
        name, size = phase.collective, phase.group_size
        reduces = name.endswith("all-reduce")
        if not (reduces or name.endswith(("reduce-scatter", "all-gather"))) or phase.uneven != 1.0:
            return 0.0
        payload = _least_payload(phase)
        dims = _DIMS.get(_kind_of(phase), ())
        if _kind_of(phase) == kind.name:
            parts, least = extra + 1, (extra + 1 if reduces else extra) * payload
        elif dims and not set(dims) & set(kind.dims) and size > self._domain:
            parts = -(-self._domain // held)
            least = (parts if reduces else parts - self._domain / size) * payload
        else:
            return 0.0
        return float(max(least, parts * self._ring_bytes(phase))) / self._domain / self._nic_bytes_per_s

    def _ring_bytes(self, phase: Phase) -> float:
        """What a ring sends out of every part of a group; 0 where another placement may not run a ring."""
        asked = getattr(getattr(self._setting.spec, "collectives", None), "algorithm", None)
        rings = {"ring-reduce-scatter": 1, "ring-all-gather": 1, "ring-all-reduce": 2 if asked == "ring" else 0}
        payload = _least_payload(phase)
        return rings.get(phase.collective, 0) * payload * (phase.group_size - 1) / phase.group_size

    def _across_s(self, phase: Phase, most: int) -> float:
        """The least time of a phase that is not all inside, with so many members of a group in a domain."""
        whole = phase.fabric is not None and not phase.sent_bytes_inside_per_rank
        if most == 1 and whole and self._own_nics and self._plain:
            rate: LineRate = self._rates[phase.fabric or ""]
            window = ideal_window_s(rate.topology, [phase.flows], rate.efficiency)
            return max(window, phase.inside_s) + phase.calls * phase.latency_s
        if phase.collective.endswith("send-recv"):
            one = (
                float(phase.flows.amount.min(initial=np.inf)) if phase.fabric is not None and self._own_nics else np.inf
            )
            return one / self._nic_bytes_per_s if np.isfinite(one) else 0.0
        size, members, hosts = phase.group_size, self._members(phase), self._setting.wanted
        across = max(_bytes_across(phase, most), max(size / most, 2.0) * self._ring_bytes(phase))
        if size <= self._domain or self._own_nics:  # perhaps one group alone is across: over the NICs of its own
            return across / size / self._nic_bytes_per_s
        nics = min(hosts * int(self._ends.shape[1]), members)
        return across * (members // size) / nics / self._nic_bytes_per_s

    def _members(self, phase: Phase) -> int:
        """Ranks that take part."""
        return phase.senders or self._setting.ranks

    def _cut_s(self, phase: Phase) -> float:
        """The least time over the links that leave groups of hosts."""
        return max((self._one_cut_s(phase, cut) for cut in self._cuts), default=0.0)

    def _one_cut_s(self, phase: Phase, cut: LevelCut) -> float:
        of_host = cut.of_node[self._ends[:, 0]]
        if (of_host < 0).any() or phase.collective.endswith("send-recv"):
            return 0.0
        room = int(np.bincount(self._parts(of_host)).max()) * self._setting.per_host
        if phase.group_size <= room:
            return 0.0
        groups = np.unique(of_host)
        gbps = min(float(cut.out_gbps[groups].sum()), float(cut.in_gbps[groups].sum()))
        across = max(_bytes_across(phase, room), phase.group_size / room * self._ring_bytes(phase)) * (
            self._members(phase) // phase.group_size
        )
        efficiency = self._rates[self._setting.fabric].efficiency
        return across * 8 / (gbps * 1e9 * efficiency) if gbps else 0.0

    def _parts(self, of_host: Ints) -> Ints:
        """Part of every free host, of groups of hosts with those joined that share a scale-up domain."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        domain = self._setting.domain_of_host[self._setting.free]
        groups = int(of_host.max()) + 1
        size = groups + int(domain.max()) + 1
        joined = coo_array((np.ones(len(of_host)), (of_host, groups + domain)), shape=(size, size))
        return column(connected_components(joined, directed=False)[1][of_host], np.int32)


def _least_payload(phase: Phase) -> float:
    """Bytes of a rank where it has the fewest; the phase's mean has the scenario's scale in it, its formulas do not."""
    if not phase.payloads:
        return phase.payload_bytes_per_rank
    total = sum(one.formula.value * one.ranks for one in phase.payloads)
    mean = total / sum(one.ranks for one in phase.payloads)
    least = min(one.formula.value for one in phase.payloads)
    return least / mean * phase.payload_bytes_per_rank if mean else 0.0


def _kind_of(phase: Phase) -> str:
    return phase.name.partition(".")[0]


def _bytes_across(phase: Phase, most: int) -> float:
    """Bytes that must pass between the parts of one group: two at least, none with more than ``most`` members."""
    name, size = phase.collective, phase.group_size
    operation = next((one for one in _OPERATIONS if name.endswith(one)), None)
    uneven = phase.uneven != 1.0 or phase.name.startswith("ep.")
    if operation is None or uneven or any(word in name for word in _NOT_COUNTED):
        return 0.0
    payload = _least_payload(phase)
    parts = max(size / most, 2.0)
    if operation == "all-to-all":
        return max(size - most, 2 * (size - 1) / size) * payload
    if operation == "all-reduce":
        return parts * payload if "in-network" in name else 2 * (parts - 1) * payload
    return (parts - 1) * payload
