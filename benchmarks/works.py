"""What is measured: every piece of work, who does it, and what was asked of us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.flat_works import flat_works
from benchmarks.measure import Run, case, fabric, has_case
from benchmarks.methods import MISSED_LIMIT, PARTIAL, Answer, Method, Work, edge_lp, ours, peer

EXAMPLE = "examples/train-2k.fabric.yaml"
COLD = (
    *("help", "train-2k", "build-2k", "validate-2k", "traffic-2k", "tab-command", "tab-option", "tab-file"),
    *("first-frame", "train-2k-first", "ecmp-8", "ecmp-16"),
)  # what people wait for before they have seen anything
JOB = "benchmarks/scenarios/train-65k.fabric.yaml"
# Ten cables of the large job's fabric: eight uplinks of eight leaves, and two cables up from spines.
MILLION = "benchmarks/scenarios/train-1m.fabric.yaml"
MILLION_DENSE = "benchmarks/scenarios/train-1m-dense.fabric.yaml"  # no experts: a thirtieth of the flows
# Ten cables of the largest job's fabric: six uplinks of edge switches, and four of aggregation switches.
MILLION_FAILURES = (
    *(f"link=pod{pod}/edge{edge}:pod{pod}/agg{above}" for pod, edge, above in (
        (0, 0, 5), (17, 3, 80), (40, 77, 0), (66, 12, 30), (101, 60, 9), (150, 20, 44),
    )),
    *(f"link=pod{pod}/agg{agg}:core{core}" for pod, agg, core in ((3, 0, 7), (29, 0, 80), (77, 1, 90), (120, 2, 200))),
)  # fmt: skip
JOB_FAILURES = (
    *(f"link=unit{unit}/leaf{rail}:pod{unit // 32}/rail{rail}/spine{spine}" for unit, rail, spine in (
        (3, 0, 5), (40, 1, 17), (77, 2, 0), (101, 3, 30), (133, 4, 9), (170, 5, 21), (211, 6, 2), (255, 7, 31),
    )),
    "link=pod1/rail2/spine4:plane4/core2",
    "link=pod6/rail5/spine19:plane19/core2",
)  # fmt: skip


def _start_up() -> list[Work]:
    route = fabric("route", EXAMPLE)

    def alone(
        name: str, title: str, command: Sequence[str], asked_s: float, asked_mib: float | None = None, **keys: Any
    ) -> Work:
        return Work(name, title, (Method("fabric", lambda _: command, **keys),), asked_s, asked_mib=asked_mib)

    missed = (0, MISSED_LIMIT)
    return [
        alone("help", "fabric --help, cold process", fabric("--help"), 0.3),
        alone("train-2k", "route 2,048 GPUs, cold process", route, 1.0, accepted=missed),
        *(alone(f"{verb}-2k", f"{verb} the same, cold process", fabric(verb, EXAMPLE), 0.5)
          for verb in ("build", "validate", "traffic")),
        alone("tab-command", "a tab of the shell: fabric ro", case("tab", "fabric ro"), 0.15),
        alone("tab-option", "a tab of the shell: fabric route --ro", case("tab", "fabric route --ro"), 0.15),
        alone("tab-file", "a tab of the shell: fabric route exam", case("tab", "fabric route exam"), 0.15),
        alone(
            "train-2k-first", "  kernels not yet compiled", route, 5.0, accepted=missed, fresh_kernels=True
        ),
        alone("first-frame", "first screen of the terminal interface", case("first_frame", EXAMPLE), 1.0),
        alone("build", "build fat tree k=48, 27,648 hosts", case("fat_tree", "48"), 0.5),
        alone("build-64", "build fat tree k=64, 65,536 hosts", case("fat_tree", "64"), 1.0, 300.0),
        *_builders(),
        alone("import-csv", "read 200,000 cables, CSV", case("import_cables", "csv"), 3.0),
        alone("import-json", "read 200,000 cables, JSON", case("import_cables", "json"), 3.0),
        alone("reroute", "one failure re-routed, 2,048 GPUs, ECMP, 3 phases", case("reroute"), 0.2),
        Work(
            "spread", "600 single failures, two worker processes beside one",
            (Method("fabric", lambda _: case("spread"), answer=lambda run: Answer(note=str(run.printed["note"]))),),
        ),
    ]  # fmt: skip


def _builders() -> list[Work]:
    """Every builder at about 200,000 cables, beside a fat tree of 196,608."""
    from benchmarks.cases.builders import SIZES

    def one(kind: str) -> Method:
        return Method(kind, lambda _: case("builders", kind), answer=_per_cable)

    return [Work("builders", "build about 200,000 cables", tuple(one(kind) for kind in SIZES), 1.0, asked_mib=300.0)]


def _per_cable(run: Run) -> Answer:
    return Answer(note="{us_per_cable:.3f} us per cable, {cables:,} cables".format(**run.printed))


def _equal_split(radix: int, asked_s: float | None, asked_mib: float | None, *, full_only: bool = False) -> Work:
    name = f"uniform-{radix}"
    return Work(
        f"ecmp-{radix}",
        f"ECMP all-to-all between edge switches, k={radix}",
        (
            ours("ecmp", name),
            peer("rustworkx betweenness (all switches)", "rustworkx_peer", f"everywhere-{radix}", agrees=""),
            peer("netgraph-core", "netgraph_core_peer", name),
            peer("ngraph", "ngraph_peer", "ecmp", name, program="ngraph-ecmp"),
            peer("NetworkX betweenness", "networkx_peer", name),
        ),
        asked_s,
        asked_mib=asked_mib,
        full_only=full_only,
    )


def _everywhere(radix: int, *, full_only: bool) -> Work:
    name = f"everywhere-{radix}"
    return Work(
        f"ecmp-everywhere-{radix}",
        f"ECMP between all switches, k={radix}",
        (ours("ecmp", name), peer("rustworkx betweenness", "rustworkx_peer", name)),
        full_only=full_only,
    )


def _uniform_optimum(radix: int) -> Work:
    name = f"uniform-{radix}"
    greedy = peer("ngraph, capacity-aware", "ngraph_peer", "capacity-aware", name, agrees="above", program="ngraph-te")
    plain = (edge_lp(solver, name) for solver in ("pdlp", "highs-ipm", "highs-simplex", "glop"))
    title = f"optimum of all-to-all, k={radix}, intact"
    return Work(f"optimum-{radix}", title, (ours("optimal", name), greedy, *plain), asked_gap=1e-3)


def _damaged(radix: int, asked_s: float, asked_gap: float, **keys: Any) -> list[Work]:
    found = []
    for kind, words in (
        ("edge-permutation", "edge-switch permutation"),
        ("gravity", "log-normal gravity"),
        ("host-permutation", "host permutation"),
    ):
        name = f"{kind}-{radix}"
        title = f"optimum, k={radix}, 3 % of links down, {words}"
        methods = (ours("optimal", name, asked_gap),) + ((edge_lp("pdlp", name),) if radix <= 16 else ())
        later = kind != "edge-permutation"  # the ten-minute version has time for one
        found.append(Work(name, title, methods, asked_s, asked_gap, peers_full_only=later, limit_s=asked_s, **keys))
    return found


def _of_route(run: Run) -> Answer:
    """The worst phase of ``fabric route --json``."""
    routes = run.printed["routes"]
    theta = max(entry["max_utilisation"] for entry in routes)
    worst = max(routes, key=lambda entry: (entry["gap"] or 0.0, entry["max_utilisation"]))
    bound = theta / (1 + (worst["gap"] or 0.0))
    solvers = ", ".join(dict.fromkeys(entry["solver"] or "-" for entry in routes))
    stopped = ", stopped by its time limit" if run.printed["partial"] else ""
    return Answer(theta, bound, f"{len(routes)} phases, worst gap of any; {solvers}{stopped}")


def _job() -> list[Work]:
    def routed(down: Sequence[str]) -> Method:
        flags = [part for selector in down for part in ("--down", selector)]
        common = ("--router", "optimal", "--gap", "0.005", "--json", "--quiet", "--top", "1")
        return Method(
            "fabric route, whole process",
            lambda limit_s: fabric("route", JOB, *common, "--time-limit", f"{limit_s:g}", *flags),
            accepted=(0, MISSED_LIMIT, PARTIAL),
            answer=_of_route,
        )

    title = "65,536-GPU job, tp 8 pp 16 dp 512, end to end"
    return [
        Work("train-65k", f"{title}, intact", (routed(()),), 60.0, 5e-3),
        Work("train-65k-down", f"{title}, 10 links down", (routed(JOB_FAILURES),), 60.0, 5e-3),
    ]


def _million() -> list[Work]:
    """A job on more than a million endpoints: built, then routed three ways."""

    def routed(router: str, *more: str, scenario: str = MILLION) -> Method:
        common = ("--json", "--quiet", "--top", "1", "--router", router, *more)
        return Method(
            "fabric route, whole process",
            lambda _: fabric("route", scenario, *common),
            accepted=(0, MISSED_LIMIT, PARTIAL),
            answer=_of_route,
        )

    down = [part for selector in MILLION_FAILURES for part in ("--down", selector)]
    built = Method("fabric build, whole process", lambda _: fabric("build", MILLION, "--quiet"))
    optimal = routed("optimal", "--gap", "0.001", *down)
    title = "1,048,576-GPU job, tp 8 pp 16 ep 64"

    def one(name: str, words: str, method: Method, asked_s: float, **keys: Any) -> Work:
        return Work(name, words, (method,), asked_s, full_only=True, limit_s=4 * asked_s, **keys)

    return [
        one("build-1m", "build a fat tree of 1,062,882 hosts", built, 5.0, asked_mib=4000.0),
        one("train-1m", f"{title}, ecmp", routed("ecmp"), 60.0, asked_mib=8000.0),
        one("train-1m-down", f"{title}, optimal, 10 links down", optimal, 180.0, asked_gap=1e-3, asked_mib=8000.0),
        one(
            "train-1m-hashed", "  the same without experts, hashed, with bands",
            routed("ecmp-hash", scenario=MILLION_DENSE), 300.0, asked_mib=8000.0,
        ),
    ]  # fmt: skip


def _demands() -> list[Work]:
    def sized(name: str, tensor: int, expert: int, *, rows: bool = True) -> Work:
        title = f"demands of 65,536 GPUs, tp {tensor}, pp 16, ep {expert}"
        beside = (
            (peer("one row per pair, NumPy, one phase", "demands", "pairs", str(expert), agrees=""),) if rows else ()
        )
        method = Method("fabric", lambda _: case("demands", str(tensor), str(expert)))
        return Work(name, title, (method, *beside), 5.0, asked_mib=2000.0)

    return [
        sized("demands-64", 8, 64),
        sized("demands-512", 8, 512),
        sized("demands-4096", 1, 4096, rows=False),
    ]


def _flow_tables() -> list[Work]:
    def alone(name: str, title: str, what: str, number: int, asked_s: float, asked_mib: float | None = None) -> Work:
        method = Method("fabric", lambda _: case("flow_tables", what, str(number)))
        return Work(name, title, (method,), asked_s, asked_mib=asked_mib, limit_s=200.0)

    return [
        alone("tables-64", "flow tables of 5,120 switches, 65,536 hosts, written", "export", 64, 60.0, 3000.0),
        alone("tables-verify-64", "  followed from every source to every destination", "verify", 64, 60.0),
        alone("tables-diff-64", "  change when an aggregation switch fails", "diff", 64, 30.0),
        alone("tables-write", "a million rules made and written", "write", 1_000_000, 10.0),
    ]


def _of_hashing(run: Run) -> Answer:
    """Percentiles of the fullest link and of the worst flow over the replicas."""
    printed = run.printed
    fullest = "fullest link {max_p50:.3g} (p50) to {max_p99:.3g} (p99)".format(**printed)
    return Answer(note=fullest + "; worst flow gets {worst_p50:.1%} to {worst_p99:.1%}".format(**printed))


def _hashed() -> Work:
    title = "ecmp-hash, 8,192-flow permutation, k=32, 1,000 replicas"
    if has_case("ecmp_hash"):
        method = Method("fabric ecmp-hash", lambda _: case("ecmp_hash", "32", "1000"), answer=_of_hashing)
    else:
        method = Method("fabric ecmp-hash", None, unsupported="no case yet")
    return Work("ecmp-hash", title, (method,), 60.0)


def _of_failures(run: Run) -> Answer:
    printed = run.printed
    note = "{cases:,} cases, {each_ms:.3g} ms each".format(**printed)
    return Answer(printed["theta"], note=note)


def _of_sweep(run: Run) -> Answer:
    """Of ``fabric failures --json``."""
    printed = run.printed
    return Answer(note="{cases:,} cases, {evaluated:,} routed".format(**printed))


def _failures() -> list[Work]:
    def swept(who: str, name: str, radix: int, *count: str, agrees: str = "equal") -> Method:
        return Method(name, lambda _: case("failures", who, f"uniform-{radix}", *count), agrees, answer=_of_failures)

    def command(name: str, title: str, asked_s: float, *arguments: str, **keys: Any) -> Work:
        method = Method(
            "fabric failures, whole process",
            lambda _: fabric("failures", *arguments, "--json", "--quiet", "--top", "1"),
            accepted=(0, MISSED_LIMIT),
            answer=_of_sweep,
        )
        return Work(name, title, (method,), asked_s, limit_s=2 * asked_s, **keys)

    beside = ("netgraph-core", "networkx", "numpy")
    some = tuple(
        swept(who, name, 16, "20") for who, name in zip(beside, ("netgraph-core", "NetworkX", "NumPy"), strict=True)
    )
    all_of = "all single links and switches"
    return [
        Work(
            "failures-some-16", "20 single failures, k=16 all-to-all",
            (swept("ours-each", "fabric", 16, "20"), *some),
        ),
        Work(
            "failures-8", f"{all_of}, k=8 all-to-all",
            (swept("ours", "fabric", 8), swept("numpy", "NumPy, by matrices", 8)), 1.0,
        ),
        Work(
            "failures-16", f"{all_of}, k=16 all-to-all",
            (swept("ours", "fabric", 16), swept("ours-each", "fabric, equal cases too", 16)), 3.0,
        ),
        Work(
            "failures-32", f"{all_of}, k=32 all-to-all",
            (swept("ours", "fabric", 32), swept("ours-each", "fabric, equal cases too", 32)), 60.0, limit_s=300.0,
        ),
        command(
            "failures-train-2k", f"{all_of}, 2,048 GPUs, hashed", 5.0,
            EXAMPLE, "--fabric", "backend", "--no-expected",
        ),
        command(
            "failures-pairs", "every pair of them, 8.8 million", 300.0,
            EXAMPLE, "--fabric", "backend", "--no-expected", "--k", "2", full_only=True,
        ),
        command("failures-65k", f"{all_of}, 65,536-GPU job", 180.0, JOB, "--no-expected"),
    ]  # fmt: skip


def _designs() -> list[Work]:
    """Requirements of every size, and a floor with ten thousand cables."""

    def one(name: str, title: str, asked_s: float, *arguments: str, **keys: Any) -> Work:
        return Work(
            name, title, (Method("fabric", lambda _: case("design", *arguments)),), asked_s, limit_s=2 * asked_s, **keys
        )

    return [
        one("design-512", "design for 512 GPUs", 1.0, "512"),
        one("design-1024", "design for 1,024 GPUs", 10.0, "1024"),
        one("design-16384", "design for 16,384 GPUs", 60.0, "16384", asked_gap=0.01, asked_mib=4096.0),
        one("design-100000", "design for 100,000 GPUs", 300.0, "100000", asked_mib=4096.0, full_only=True),
        one("floor-10000", "switches placed, 10,000 cables", 30.0, "floor", "640", asked_gap=0.05),
    ]


def _sharings() -> list[Work]:
    """Jobs that share links."""
    return [
        Work(
            "interference-100", "who slows whom of 100 jobs on 4,096 GPUs, and time shifts",
            (Method("fabric", lambda _: fabric("interference", "benchmarks/scenarios/jobs-4k.fabric.yaml")),), 60.0,
            limit_s=120.0,
        )
    ]  # fmt: skip


def works() -> Mapping[str, Work]:
    """All pieces of work by name, in the order they are run."""
    found = [
        *_start_up(),
        _equal_split(8, None, None),
        _equal_split(16, None, None),
        _equal_split(32, None, None),
        _equal_split(48, 1.5, 1000.0),
        _equal_split(64, 2.0, 1000.0),
        *_damaged(16, 10.0, 1e-3),
        *_damaged(32, 60.0, 1e-2, asked_mib=4000.0),
        *_job(),
        *_million(),
        _hashed(),
        *_demands(),
        *_flow_tables(),
        *_failures(),
        *_designs(),
        *_sharings(),
        *flat_works(),
        _uniform_optimum(16),
        *_damaged(48, 300.0, 2e-2, full_only=True),
        _everywhere(48, full_only=True),
        _everywhere(64, full_only=True),
    ]
    return {entry.name: entry for entry in found}
