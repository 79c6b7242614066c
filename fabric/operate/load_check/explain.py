"""Which change of the plan comes closer to what was measured: each is worked out again as the plan was, and compared.

Fit is the part of the squared difference that a change takes away, over all links that were measured. Where flows are
hashed only what lies outside the band differs. A change stands for one cause at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fabric.operate.forecast import LinkForecast, forecast
from fabric.operate.load_check.result import FLOOR, Explanation, MeasuredRates
from fabric.pipeline.run import Run
from fabric.routing.names import router_names
from fabric.routing.router import traits_of
from topologies.columns import Bools
from topologies.errors import FabricError

LEAST_FIT = 0.3
MOST = 6  # explanations that are listed
_MOST_DOWN = 6  # candidates that are routed

# (overrides, what is down, router) -> the plan with that change; None where it cannot be routed
Again = Callable[[tuple[str, ...], tuple[str, ...], str | None], LinkForecast | None]


def again(load: Callable[[tuple[str, ...]], Run], run: Run, fabric: str) -> Again:
    """Plans of the fabric with a change; ``load`` routes the scenario anew with more overrides."""
    from dataclasses import replace

    from fabric.pipeline.run import run_scenario

    def changed(overrides: tuple[str, ...], down: tuple[str, ...], router: str | None) -> LinkForecast | None:
        try:
            if overrides:
                other = load(overrides)
            else:
                request = replace(run.request, down=(*run.request.down, *down), router=router or run.request.router)
                other = run_scenario(run.loaded, request, like=run)
        except FabricError:
            return None
        return next((plan for plan in forecast(other) if plan.fabric == fabric), None)

    return changed


def explain(plan: LinkForecast, rates: MeasuredRates, run: Run, change: Again) -> tuple[Explanation, ...]:
    """What explains a measurement that is not the plan's, best first; none where nothing is off."""
    base = _difference(plan, rates)
    if base <= 0:
        return ()
    found = [
        *_scaled(plan, rates, base),
        *_down(plan, rates, change, base),
        *_routers(plan, rates, change, base),
        *_placed(plan, rates, run, change, base),
    ]
    good = sorted((one for one in found if one.fit >= LEAST_FIT), key=lambda one: -one.fit)
    return tuple(good[:MOST])


def _difference(plan: LinkForecast, rates: MeasuredRates, scale: float = 1.0) -> float:
    """Sum of squares of what links are off, those of a band by what they are outside it."""
    known = rates.known
    measured = rates.gbps[known]
    high, low = (scale * values[known] for values in (plan.high_gbps, plan.low_gbps))
    if not plan.hashed:
        high = np.where(plan.high_gbps > plan.mean_gbps * (1 + 1e-9), plan.high_gbps, plan.mean_gbps)[known] * scale
        low = np.minimum(low, high)
    off = np.maximum(measured - high, 0) + np.maximum(low - measured, 0)
    noise = FLOOR * plan.topology.links.capacity_gbps[known]
    return float((np.maximum(off - noise, 0) ** 2).sum())


def _fit(base: float, left: float) -> float:
    return 1 - left / base


def _scaled(plan: LinkForecast, rates: MeasuredRates, base: float) -> Iterator[Explanation]:
    """All demand, and each job of several, times a factor."""
    known = rates.known
    measured = rates.gbps[known]
    mean = plan.mean_gbps[known]
    if (mean > 0).any():
        factor = float((measured @ mean) / (mean @ mean))
        fit = _fit(base, _difference(plan, rates, factor))
        yield Explanation(
            "demand", f"all demand is {factor:.3g} times what is planned", fit, f"--set scale={factor:.3g}"
        )
    for job in plan.jobs if len(plan.jobs) > 1 else ():
        own = plan.job_gbps(job)[known]
        if not (own > 0).any():
            continue
        factor = max(float(((measured - (mean - own)) @ own) / (own @ own)), 0.0)
        left = float(((measured - (mean - own) - factor * own) ** 2).sum())
        whole = float(((measured - mean) ** 2).sum())
        words = f"{job} does not run" if factor < 0.02 else f"{job} sends {factor:.3g} times what is planned"
        yield Explanation("demand", words, 1 - left / whole if whole > 0 else 0.0)


def _down(plan: LinkForecast, rates: MeasuredRates, change: Again, base: float) -> Iterator[Explanation]:
    """Switches and cables that carry nothing though they should, and ports that say so."""
    for selector, words in list(_dead(plan, rates))[:_MOST_DOWN]:
        other = change((), (selector,), None)
        if other is not None:
            yield Explanation("down", words, _fit(base, _difference(other, rates)), f"--down '{selector}'")


def _dead(plan: LinkForecast, rates: MeasuredRates) -> Iterator[tuple[str, str]]:
    net = plan.topology
    names, links = net.nodes.name, net.links
    silent = _silent(plan, rates) | (rates.down & net.up)
    expected = rates.known & (plan.mean_gbps > 0)
    covered: set[int] = set()
    for node in np.flatnonzero(net.is_switch).tolist():
        mine = expected & ((links.src == node) | (links.dst == node))
        if mine.sum() > 1 and silent[mine].all():
            covered.add(node)
            yield names[node], f"{names[node]} is down: none of its {int(mine.sum()):,} links carries anything"
    for link in np.flatnonzero(silent & net.is_cable).tolist():
        src, dst, back = int(links.src[link]), int(links.dst[link]), int(links.reverse[link])
        both = back < 0 or silent[back] or not rates.known[back]
        if both and src not in covered and dst not in covered:
            yield f"link={names[src]}:{names[dst]}", f"the cable of {net.link_name(link)} is down"


def _silent(plan: LinkForecast, rates: MeasuredRates) -> Bools:
    """Links that carry next to nothing where the plan has traffic."""
    floor = FLOOR * plan.topology.links.capacity_gbps
    with np.errstate(invalid="ignore"):
        little = rates.gbps < np.maximum(0.02 * plan.mean_gbps, np.minimum(floor, 0.2 * plan.mean_gbps))
    return np.asarray(rates.known & little & (plan.mean_gbps > 0))


def _routers(plan: LinkForecast, rates: MeasuredRates, change: Again, base: float) -> Iterator[Explanation]:
    """Other routers than the one that is modelled."""
    for router in router_names():
        if router == plan.router or traits_of(router).takes_objective:
            continue  # what a solver would choose is no switch's own choice
        other = change((), (), router)
        if other is not None:
            words = f"switches route as {router}, not as {plan.router}"
            words += ": within what a hash allows" if other.hashed else ""
            yield Explanation("router", words, _fit(base, _difference(other, rates)), f"--router {router}")


def _placed(plan: LinkForecast, rates: MeasuredRates, run: Run, change: Again, base: float) -> Iterator[Explanation]:
    """A job in another order on its hosts, or on the hosts that are seen to send."""
    for workload in run.loaded.scenario.workloads:
        placement = getattr(workload.spec, "placement", None)
        if workload.id not in plan.jobs or placement is None:
            continue
        key = f"workloads.{workload.id}.placement"
        group = _group(placement)
        part = f"group: {group}, " if group else ""
        for order in ("packed", "scattered, seed: 1", "scattered, seed: 2", "rail-aligned"):
            value = f"{{{part}order: {order}}}"
            other = change((f"{key}={value}",), (), None)
            if other is not None:
                words = f"{workload.id} is placed {order.replace(', seed:', ' with seed')}"
                yield Explanation("placement", words, _fit(base, _difference(other, rates)), f"--set '{key}={value}'")
        yield from _elsewhere(plan, rates, workload.id, key, part, change, base)


def _group(placement: object) -> str | None:
    found = placement.get("group") if isinstance(placement, dict) else getattr(placement, "group", None)
    return found if isinstance(found, str) else None


def _elsewhere(
    plan: LinkForecast, rates: MeasuredRates, job: str, key: str, part: str, change: Again, base: float
) -> Iterator[Explanation]:
    """On the hosts that send, where those are others than the job's."""
    net = plan.topology
    out = ~net.is_switch[net.links.src] & rates.known
    floor = np.maximum(FLOOR * net.links.capacity_gbps, 0.02 * float(plan.mean_gbps.max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        sending = _hosts(plan, out & (rates.gbps > floor))
    planned = _hosts(plan, out & (plan.job_gbps(job) > 0))
    gone, new = [host for host in planned if host not in sending], [host for host in sending if host not in planned]
    others = _hosts(plan, out & (plan.mean_gbps - plan.job_gbps(job) > floor))
    mine = [host for host in sending if host not in others or host in planned]
    if not new or not gone or len(mine) < len(planned):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hosts.txt"
        path.write_text("\n".join(mine[: len(planned)]) + "\n", encoding="utf-8")
        other = change((f"{key}={{{part}order: file, path: {path}}}",), (), None)
    if other is not None:
        words = f"{job} runs on {_some(new)}, not on {_some(gone)}"
        yield Explanation("placement", words, _fit(base, _difference(other, rates)))


def _hosts(plan: LinkForecast, links: Bools) -> list[str]:
    """Hosts that such links leave, in the order of the plan."""
    names = plan.topology.nodes.name
    nodes = dict.fromkeys(plan.topology.links.src[np.flatnonzero(links)].tolist())
    return list(dict.fromkeys(names[node].partition(".nic")[0] for node in sorted(nodes)))


def _some(hosts: list[str]) -> str:
    return ", ".join(hosts[:4]) + (f" and {len(hosts) - 4:,} more" if len(hosts) > 4 else "")
