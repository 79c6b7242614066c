"""What the counts of a folded Clos say of each other: cables, ports, ratios, bandwidths."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.review.bounds import AnyOf, Bound, Divides, Even, Intervals, Need, Product, Relation, Split, Total
from fabric.review.claims import Claims
from fabric.review.names import NAMES, RATES, shown
from fabric.review.shape import ROLES, Shape, model_of, port_speed, ways
from topologies.units import precise_gbps

_HALF = Fraction(1, 2)


def intervals_of(claims: Claims, shape: Shape) -> Intervals:
    """Claims as intervals; what is claimed of all switches holds for the roles that have no claim of their own."""
    known = Intervals(claimed=frozenset(claims.numbers))

    def take(name: str, low: Fraction, high: Fraction, *keys: str, step: str = "") -> None:
        known.at_least(name, Bound(low, step, (), frozenset(keys)), "claims")
        known.at_most(name, Bound(high, step, (), frozenset(keys)), "claims")

    for key, written in claims.numbers.items():
        if key in NAMES or key in RATES:
            take(key, written.low, written.high, key)
    for role in ROLES[: shape.tiers]:
        name, (model, key) = f"{role}_radix", model_of(claims, role)
        radix = claims.value("radix")
        if radix is not None and name not in claims:
            take(name, radix, radix, "radix")
        if model is not None:
            ports = Fraction(model.ports)
            take(name, ports, ports, key, step=f"{model.model} has {shown(name, ports)}")
    # A host has a NIC, and switches of all tiers are joined.
    for name in ("nics_per_host", *("uplinks", "spine_uplinks")[: shape.tiers - 1]):
        if name not in claims:
            known.at_least(name, Bound(Fraction(1)), "claims")
    return known


def relations_of(claims: Claims, whole: Claims, shape: Shape) -> list[Relation]:
    """Relations that hold where only ``claims`` are made, of those made in ``whole``: definitions before limits."""
    relations = [*_hosts(whole, shape), *_leaves(claims, shape), *_sums(claims, shape)]
    if shape.tiers > 1:
        relations += _two_tiers(claims, whole, shape)
    if shape.tiers > 2:
        relations += _three_tiers(claims, whole, shape)
    relations += _bandwidths(claims, shape)
    allowed = frozenset(claims.keys)
    # What a ratio leaves of the ports first: it says more than the ports alone.
    relations.sort(key=lambda relation: not isinstance(relation, Split))
    return [relation for relation in relations if relation.claims <= allowed]


def _need(what: str, total: str, slots: str) -> Need:
    """How a shortage of ports is told: what needs them, and how many there are."""

    def told(low: Fraction, high: Fraction) -> str:
        return f"{int(low):,} {what} need {int(low):,} {slots}, and there are {int(high):,}"

    return told


def _hosts(whole: Claims, shape: Shape) -> Iterator[Relation]:
    """GPUs, hosts, NICs and their cables."""
    yield Product("gpus", ("hosts", "gpus_per_host"), "hosts")
    yield Product("nics", ("hosts", "nics_per_host"), "hosts")
    if "nics" not in whole and "nics_per_host" not in whole:
        yield Product("nics", ("gpus",), "hosts")
    if "nic_ports" in whole:
        yield Product("host_cables", ("nics", "nic_ports"), "hosts")
    elif "planes" in whole and shape.kind != "rail-only" and "nic_speed" not in whole:
        yield Product("host_cables", ("nics", "planes"), "hosts")
    else:
        yield Product("host_cables", ("nics",), "hosts")
    yield Product("gpus_per_pod", ("hosts_per_pod", "gpus_per_host"), "pods")
    yield Product("hosts", ("pods", "hosts_per_pod"), "pods", at_most=True, need=_need("hosts", "hosts", "places"))
    yield Product("gpus", ("pods", "gpus_per_pod"), "pods", at_most=True, need=_need("GPUs", "gpus", "places"))
    places = _need("hosts", "hosts", "places in racks")
    yield Product("hosts", ("racks", "hosts_per_rack"), "racks", at_most=True, need=places)
    if shape.kind in ("rail-optimised", "rail-only") and "rails" in whole:
        yield Product("nics_per_host", ("rails",), "rails")


def _leaves(claims: Claims, shape: Shape) -> Iterator[Relation]:
    """Ports of leaves, and the hosts on them."""
    need = _need("host cables", "host_cables", "leaf ports for hosts")
    yield Product("host_cables", ("leaves", "host_ports"), "ports", at_most=True, need=need)
    down, keys = ways(claims, "leaf", shape.host)
    up, more = ways(claims, "leaf", shape.leaf)
    parts = [("host_ports", Fraction(1, down)), *([("uplinks", Fraction(1, up))] if shape.tiers > 1 else [])]
    yield Total(tuple(parts), "leaf_radix", "ports", at_most=True, claims=keys | more)
    if shape.kind in ("rail-optimised", "rail-only") or "rails" in claims:
        needs = frozenset({"kind"} & set(claims.keys))
        yield Divides("leaves", "rails", "rails", "every unit has a leaf for each rail", needs)
    yield Divides("leaves", "pods", "pods", "pods have equally many leaves")
    if "planes" in claims:
        yield Divides("leaves", "planes", "planes", "planes have equally many leaves")
        yield Divides("spines", "planes", "planes", "planes have equally many spines")
    yield Product("leaves", ("pods", "leaves_per_pod"), "pods")


def _two_tiers(claims: Claims, whole: Claims, shape: Shape) -> Iterator[Relation]:
    """Leaves and spines."""
    speed, keys = shape.ratio(shape.host, shape.leaf)
    scale, text = 1 / speed, _speed_text(speed, shape.leaf.gbps, shape.host.gbps)
    yield Product("leaf_spine_cables", ("leaves", "uplinks"), "cables")
    if "spine_down" in whole:
        yield Product("leaf_spine_cables", ("spines", "spine_down"), "cables")
    yield Product("host_ports", ("oversubscription", "uplinks"), "oversubscription", scale, text, claims=keys)
    yield Product(
        "host_cables", ("oversubscription", "leaf_spine_cables"), "oversubscription", scale, text, at_most=True,
        claims=keys,
    )  # fmt: skip
    down, more = ways(claims, "leaf", shape.host)
    up, further = ways(claims, "leaf", shape.leaf)
    known = keys | more | further
    yield Split(
        "host_ports", "leaf_radix", "oversubscription", "oversubscription", Fraction(1, down), speed / up, known
    )
    broken, used = ways(claims, "spine", shape.leaf)
    need = _need("uplinks", "leaf_spine_cables", "spine ports")
    if shape.tiers == 2:
        out = f"{broken} links a port" if broken > 1 else ""
        yield Total((("spine_down", Fraction(1, broken)),), "spine_radix", "ports", at_most=True, claims=used)
        yield Product(
            "leaf_spine_cables", ("spines", "spine_radix"), "ports", Fraction(broken), out, at_most=True, need=need,
            claims=used,
        )  # fmt: skip
        if shape.kind != "rail-only" or shape.separate > 1:
            yield Product(
                "host_cables", ("spine_radix", "host_ports"), "reach", Fraction(broken * shape.separate),
                _factor_text(broken, shape), at_most=True, claims=used,
                need=lambda low, high: f"{int(low):,} NIC ports on two tiers, which reach {int(high):,} at most",
            )  # fmt: skip
    else:
        upper, also = ways(claims, "spine", shape.spine)
        parts = (("spine_down", Fraction(1, broken)), ("spine_uplinks", Fraction(1, upper)))
        yield Total(parts, "spine_radix", "ports", at_most=True, claims=used | also)
        yield Product("leaf_spine_cables", ("spines", "spine_down"), "ports", at_most=True, need=need)


def _three_tiers(claims: Claims, whole: Claims, shape: Shape) -> Iterator[Relation]:
    """Spines and cores."""
    speed, keys = shape.ratio(shape.leaf, shape.spine)
    scale, text = 1 / speed, _speed_text(speed, shape.spine.gbps, shape.leaf.gbps)
    yield Product("spine_core_cables", ("spines", "spine_uplinks"), "cables")
    yield Divides("spines", "pods", "pods", "pods have equally many spines")
    yield Product("spines", ("pods", "spines_per_pod"), "pods")
    if "core_down" in whole:
        yield Product("spine_core_cables", ("cores", "core_down"), "cables")
    broken, used = ways(claims, "core", shape.spine)
    yield Total((("core_down", Fraction(1, broken)),), "core_radix", "ports", at_most=True, claims=used)
    out = f"{broken} links a port" if broken > 1 else ""
    yield Product(
        "spine_core_cables", ("cores", "core_radix"), "ports", Fraction(broken), out, at_most=True, claims=used,
        need=_need("uplinks of spines", "spine_core_cables", "core ports"),
    )  # fmt: skip
    ratio = "spine_oversubscription"
    yield Product("spine_down", (ratio, "spine_uplinks"), "oversubscription", scale, text, claims=keys)
    yield Product(
        "leaf_spine_cables", (ratio, "spine_core_cables"), "oversubscription", scale, text, at_most=True, claims=keys
    )
    down, more = ways(claims, "spine", shape.leaf)
    up, further = ways(claims, "spine", shape.spine)
    yield Split(
        "spine_down", "spine_radix", ratio, "oversubscription", Fraction(1, down), speed / up, keys | more | further
    )
    yield Product(
        "host_cables", ("core_radix", "spine_down", "host_ports"), "reach", Fraction(broken * shape.separate),
        _factor_text(broken, shape), at_most=True, claims=used,
        need=lambda low, high: f"{int(low):,} NIC ports on three tiers, which reach {int(high):,} at most",
    )  # fmt: skip
    if _is_whole_fat_tree(whole):
        yield from _fat_tree()


def _is_whole_fat_tree(whole: Claims) -> bool:
    """Whether it is the k-ary fat-tree of three tiers, whose every count follows from k."""
    return whole.words.get("kind") == "fat-tree" and ("radix" in whole or "model" in whole)


def _fat_tree() -> Iterator[Relation]:
    """The k-ary fat-tree: k pods of k/2 edge and k/2 aggregation switches, (k/2)² cores."""
    kind = frozenset({"kind"})
    yield Even("leaf_radix", "fat-tree", "a fat-tree points half of its ports up and half down", kind)
    for name, scale, text in (("host_ports", _HALF, "1/2"), ("uplinks", _HALF, "1/2")):
        yield Product(name, ("leaf_radix",), "fat-tree", scale, text, claims=kind)
    yield Product("pods", ("leaf_radix",), "fat-tree", Fraction(1), "", claims=kind)
    for name in ("leaves", "spines"):
        yield Product(name, ("leaf_radix", "leaf_radix"), "fat-tree", _HALF, "1/2", claims=kind)
    yield Product("cores", ("leaf_radix", "leaf_radix"), "fat-tree", Fraction(1, 4), "1/4", claims=kind)


def _sums(claims: Claims, shape: Shape) -> Iterator[Relation]:
    """Switches, ports and cables in all."""
    roles = {"leaf": "leaves", "spine": "spines", "core": "cores"}
    counts = tuple((roles[role], Fraction(1)) for role in ROLES[: shape.tiers])
    yield Total(counts, "switches", "switches")
    for role in ROLES[: shape.tiers]:
        yield Product(f"{role}_ports", (roles[role], f"{role}_radix"), "ports")
    yield Total(tuple((f"{role}_ports", Fraction(1)) for role in ROLES[: shape.tiers]), "ports", "ports")
    between = ("leaf_spine_cables", "spine_core_cables")[: shape.tiers - 1]
    if between:
        yield Total(tuple((name, Fraction(1)) for name in between), "fabric_cables", "cables")
        yield AnyOf("cables", (("host_cables",), ("fabric_cables",), ("host_cables", "fabric_cables")), "cables")
    else:
        yield AnyOf("cables", (("host_cables",),), "cables")
    links = [shape.host, shape.leaf, shape.spine][: shape.tiers]
    splits = [ways(claims, role, link) for role in ROLES[: shape.tiers] for link in links]
    most, used = max(split for split, _ in splits), frozenset().union(*(keys for _, keys in splits))
    out = f"{most} links a port" if most > 1 else ""
    ends = _need("cables", "cables", "switch ports: one end of each at least is on a switch")
    yield Product("cables", ("ports",), "ports", Fraction(most), out, at_most=True, need=ends, claims=used)
    if shape.tiers < 3:
        on_leaves = _need("cables", "cables", "leaf ports: one end of each is on a leaf")
        yield Product(
            "cables", ("leaf_ports",), "ports", Fraction(most), out, at_most=True, need=on_leaves, claims=used
        )


def _bandwidths(claims: Claims, shape: Shape) -> Iterator[Relation]:
    """Bandwidth of all hosts, of a switch, and across the middle; one direction."""
    tiers = [("host_cables", shape.host), ("leaf_spine_cables", shape.leaf), ("spine_core_cables", shape.spine)]
    for cables, speed in tiers[: shape.tiers]:
        if speed.gbps is not None:
            text = f"{precise_gbps(float(speed.gbps))} x 1/2"
            yield Product(
                "bisection", (cables,), "bisection", speed.gbps * _HALF, text, at_most=True, claims=speed.claims
            )
    if shape.host.gbps is not None:
        text = precise_gbps(float(shape.host.gbps))
        yield Product("host_bandwidth", ("host_cables",), "bandwidth", shape.host.gbps, text, claims=shape.host.claims)
    port = port_speed(claims, "leaf")
    port = port if port.gbps is not None else shape.host
    if port.gbps is not None:
        text = precise_gbps(float(port.gbps))
        yield Product("switch_capacity", ("leaf_radix",), "bandwidth", port.gbps, text, claims=port.claims)


def _speed_text(ratio: Fraction, upper: Fraction | None, lower: Fraction | None) -> str:
    if ratio == 1 or upper is None or lower is None:
        return ""
    return f"{precise_gbps(float(upper))} / {precise_gbps(float(lower))}"


def _factor_text(broken: int, shape: Shape) -> str:
    parts = [f"{broken} links a port"] if broken > 1 else []
    return " x ".join([*parts, *([f"{shape.separate} planes"] if shape.separate > 1 else [])])
