"""Optima of flat networks, beside the plain edge programme by solvers of others."""

from __future__ import annotations

from benchmarks.flat_networks import REAL
from benchmarks.measure import Run, case
from benchmarks.methods import Answer, Method, Work, edge_lp, ours

SOLVERS = ("highs-ipm", "highs-simplex", "glop", "pdlp")
EXACT, NEAR = 1e-6, 1e-4


def _flat(instance: str, title: str, asked_s: float | None, gap: float = EXACT, *, full_only: bool = False) -> Work:
    beside = (edge_lp(solver, instance) for solver in SOLVERS)
    return Work(instance, title, (ours("optimal", instance, gap), *beside), asked_s, gap, full_only=full_only)


def _real(name: str, size: str, asked_s: float | None, *, full_only: bool = True) -> Work:
    return _flat(REAL + name, f"optimum of {name} of topohub, {size}", asked_s, full_only=full_only)


def _regular(kind: str, nodes: int, words: str, asked_s: float, *, full_only: bool = False) -> Work:
    name = f"{kind}-{nodes}"
    return _flat(name, f"optimum, {nodes} switches joined at random, {words}", asked_s, NEAR, full_only=full_only)


def _of_cases(run: Run) -> Answer:
    """The mean of the fullest link over the cases, and how long one took."""
    printed = run.printed
    note = "{cases:,} cases, {each_ms:.3g} ms each".format(**printed)
    return Answer(printed["theta"], printed.get("bound"), note)


def _failed(instance: str, title: str, who: dict[str, str], asked_s: float | None, *count: str) -> Work:
    """Single failures, each solved again; ``who`` are those of the case, with names."""
    methods = tuple(
        Method(
            name,
            lambda _, each=each: case("optimal_failures", each, instance, repr(EXACT), *count),  # type: ignore[misc]
            agrees="equal" if each.startswith("ours") else "optimum",
            tolerance=2 * EXACT,
            answer=_of_cases,
        )
        for each, name in who.items()
    )
    size = "-".join(["failures", *count, instance])
    return Work(size, title, methods, asked_s, EXACT, limit_s=120.0)


def flat_works() -> list[Work]:
    """Wide-area networks, then random regular graphs of degree 10."""
    return [
        _flat("wan-149", "optimum of a WAN of 149 nodes, 193 cables", 1.0),
        _flat("wan-200", "optimum of a WAN of 200 nodes, 39,800 demands", 1.5),
        _failed(
            "wan-197", "optimum of every single failure of a WAN of 197 nodes, 245 cables",
            {"ours": "fabric, each from the intact answer", "ours-cold": "fabric, each from nothing"}, 60.0,
        ),
        _failed(
            "wan-197", "optimum of four of them, peers from nothing",
            {"ours": "fabric, with the intact answer", "highs-simplex": "plain edge LP, highs-simplex",
             "highs-ipm": "plain edge LP, highs-ipm"}, None, "4",
        ),
        _flat("dense-100", "optimum of a dense network of 100 nodes", 3.0),
        _real("sndlib/germany50", "50 nodes", 1.0, full_only=False),
        _real("topozoo/TataNld", "143 nodes", 1.0, full_only=False),
        _real("gabriel/100/0", "100 nodes", 1.0),
        _real("gabriel/200/0", "200 nodes", 1.5),
        _real("backbone/north_america", "250 nodes", 1.5),
        _real("caida/2024-08/20115", "290 nodes, 832 cables", 3.0),
        _real("gabriel/500/0", "500 nodes, 249,500 demands", 5.0),
        _real("backbone/europe", "852 nodes, 725,052 demands", 5.0),
        _regular("regular", 64, "all-to-all", 5.0),
        _regular("regular", 128, "all-to-all", 5.0),
        _regular("regular-gravity", 128, "log-normal gravity", 5.0),
        _regular("regular-permuted", 128, "a permutation", 5.0),
        _regular("regular-sparse", 128, "eight partners each", 5.0),
        _regular("regular-mixed", 128, "all-to-all, links of 100 and 400G", 5.0),
        _flat("inter-as-1739", "optimum of 1,739 nodes, 8,476 arcs, 3.0 M demands", 20.0, 1e-5, full_only=True),
        _regular("regular", 256, "all-to-all", 30.0, full_only=True),
        _regular("regular-permuted", 256, "a permutation", 30.0, full_only=True),
        _regular("regular-mixed", 256, "all-to-all, links of 100 and 400G", 30.0, full_only=True),
        _regular("regular-sparse", 256, "eight partners each", 30.0, full_only=True),
    ]  # fmt: skip
