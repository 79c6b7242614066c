"""Findings about counts: the contradictions in words, with what was most likely meant, and what else is odd."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from fabric.review.bounds import Conflict, Intervals
from fabric.review.claims import Claims
from fabric.review.counts import CountsChecked
from fabric.review.finding import Finding, Severity
from fabric.review.names import shown
from fabric.review.shape import ROLES, port_speed
from fabric.review.written import Written
from topologies.units import format_gbps, precise_gbps, to_one

_NEAR = Fraction(1, 50)  # of a factor of two
_ROUNDED_UP = Fraction(11, 10)  # whole uplinks of leaves that are not full may give a little more
_FEW_STEPS = 2  # of a shortage of ports that is told whatever else is wrong
_RATIOS = ("oversubscription", "spine_oversubscription")
_RATES = ("bisection", "host_bandwidth", "switch_capacity")


def count_findings(checked: CountsChecked) -> list[Finding]:
    """All of them: contradictions of what is doubted first, each text once."""
    doubted = checked.doubted
    known = checked.known_without(*doubted)
    found = [_contradiction(conflict, checked) for conflict in _telling(checked)]
    found += [*_speeds(checked), *_spread(checked, known), *_hops(checked), *_optics(checked.claims, known)]
    found += [*_at_ratio(checked, known), *_understated(checked), *_idle(known), *_alone(checked, known)]
    return list({finding.text: finding for finding in reversed(found)}.values())[::-1]


def _telling(checked: CountsChecked) -> list[Conflict]:
    """Of the conflicts the shortest about each doubted claim, and all others that are exact sums or short of ports."""
    ordered = sorted(checked.conflicts, key=lambda each: (len(each.claims), len(each.arithmetic)))
    first = [next(each for each in ordered if key in each.claims) for key in checked.doubted]
    exact = [each for each in ordered if not any(" at most " in step or " at least " in step or " to " in step
                                                 for step in (*each.arithmetic, each.text))]  # fmt: skip
    short = [each for each in ordered if each.kind == "ports" and len(each.arithmetic) <= _FEW_STEPS]
    return list({each.claims: each for each in (*first, *exact, *short)}.values())


def _contradiction(conflict: Conflict, checked: CountsChecked) -> Finding:
    claims = checked.claims
    subject = ", ".join(claims.shown(key) for key in claims.keys if key in conflict.claims)
    text, fix, is_better = conflict.text, "", False
    steps = list(conflict.arithmetic)
    keys = (*_RATES, *(_RATIOS if conflict.kind == "oversubscription" else ()))
    key = next((each for each in keys if each in conflict.claims), None)
    real = None if key is None else _real(key, checked)
    if key is not None and real is not None:
        fix, is_better = _meant(key, real, claims.numbers[key])
        if conflict.name == key or key in _RATIOS:
            value = to_one(float(real)) if key in _RATIOS else format_gbps(float(real))
            text = f"{key.replace('_', ' ')} is {value}, not {claims.numbers[key].text}"
            steps += _ratio_step(checked, key) if key in _RATIOS else []
    if conflict.kind == "reach" and "oversubscription" in claims:
        steps += _reach_at_ratio(conflict, checked)
    doubts = [claims.shown(each) for each in checked.doubted if each in conflict.claims]
    fix = fix or (f"the others agree without {' and '.join(doubts)}" if doubts else "")
    severity: Severity = "contradiction"
    if is_better:  # a fabric that is more than 1:1 is 1:1, too
        severity = "note" if key is not None and claims.value(key) == 1 else "warning"
    return Finding(severity, conflict.kind, subject, text, tuple(steps), fix)


def _ratio_step(checked: CountsChecked, key: str) -> list[str]:
    """The oversubscription worked out from ports and speeds."""
    known, shape = checked.known_without(key, *checked.doubted), checked.shape
    down, up, lower, upper = (
        ("host_ports", "uplinks", shape.host, shape.leaf) if key == "oversubscription" else
        ("spine_down", "spine_uplinks", shape.leaf, shape.spine)
    )  # fmt: skip
    below, above = known.exact(down), known.exact(up)
    if below is None or above is None:
        return []
    speeds = ["" if each.gbps is None else f" x {precise_gbps(float(each.gbps))}" for each in (lower, upper)]
    real = to_one(float(below / above * shape.ratio(lower, upper)[0]))
    return [f"{int(below):,}{speeds[0]} down / {int(above):,}{speeds[1]} up = {real}"]


def _reach_at_ratio(conflict: Conflict, checked: CountsChecked) -> list[str]:
    """How far the fabric reaches at the oversubscription that is claimed, too."""
    from fabric.review.counts import narrowed

    keys = conflict.claims | {"oversubscription"}
    fuller = narrowed(checked.claims.only(keys), checked.claims, checked.shape)[1]
    return [] if fuller is None else [step for step in fuller.arithmetic if step not in conflict.arithmetic]


def _real(key: str, checked: CountsChecked) -> Fraction | None:
    """What the other claims make of a rate or a ratio; None where they leave it open."""
    known = checked.known_without(key, *checked.doubted)
    exact = known.exact(key)
    return exact if exact is not None or key in _RATIOS or key not in known.high else known.high[key].value


def _meant(key: str, real: Fraction, written: Written) -> tuple[str, bool]:
    """What a rate or a ratio that contradicts the counts may have been meant as; whether the counts are better."""
    times = written.value / real
    if key in _RATIOS:
        if abs(real * written.value - 1) < _NEAR and real != 1:
            return f"write {to_one(float(real))}: bandwidth down comes first, bandwidth up second", False
        if real < written.value:
            return f"the counts are better than {written.text}: say {to_one(float(real))}", True
        return f"say {to_one(float(real))}, or more uplinks", False
    if abs(times - 2) < 2 * _NEAR:
        return f"{_TWICE[key]}; say {format_gbps(float(real))}", False
    if abs(times - 4) < 4 * _NEAR and key == "bisection":
        return f"four times the real one: both directions of all cables; say {format_gbps(float(real))}", False
    return f"say {format_gbps(float(real))}", False


_TWICE = {
    "bisection": "twice the real one: both directions are counted, or all cables of a tier, of which half cross the "
    "middle",
    "host_bandwidth": "twice what the NICs send: both directions are counted",
    "switch_capacity": "twice ports times speed: both directions are counted",
}


def _speeds(checked: CountsChecked) -> Iterator[Finding]:
    """Links faster than the ports they are on."""
    claims, shape = checked.claims, checked.shape
    ends = [("leaf", shape.host), ("leaf", shape.leaf), ("spine", shape.leaf), ("spine", shape.spine),
            ("core", shape.spine)]  # fmt: skip
    for role, link in ends:
        port = port_speed(claims, role)
        if role not in ROLES[: shape.tiers] or port.gbps is None or link.gbps is None or not link.claims:
            continue
        if link.gbps > port.gbps:
            fast, slow = precise_gbps(float(link.gbps)), precise_gbps(float(port.gbps))
            yield Finding(
                "contradiction", "speed", f"ports of a {role}", f"links of {fast} on {slow} ports of a {role}",
                (f"{fast} > {slow}",), "faster ports, or slower links",
            )  # fmt: skip
        elif port.gbps % link.gbps:
            fast, slow = precise_gbps(float(port.gbps)), precise_gbps(float(link.gbps))
            rest = precise_gbps(float(port.gbps - port.gbps // link.gbps * link.gbps))
            yield Finding(
                "warning", "speed", f"ports of a {role}", f"links of {slow} leave {rest} of a {fast} port unused",
                (f"{fast} - {int(port.gbps // link.gbps)} x {slow} = {rest}",), "speeds that divide each other",
            )  # fmt: skip


def _spread(checked: CountsChecked, known: Intervals) -> Iterator[Finding]:
    """Uplinks that do not go evenly to all switches above."""
    shape = checked.shape
    pairs = [("uplinks", "spines" if shape.tiers == 2 else "spines_per_pod", "leaf", "spine")]
    for up, above, lower, upper in pairs[: max(shape.tiers - 1, 0)]:
        links = checked.claims.value(up) or known.exact(up)
        switches = checked.claims.value(above) or known.exact(above)
        if not links or not switches or (shape.separate > 1 and above == "spines"):
            continue
        each = f"{shown(up, links)} / {shown(above, switches)} = {float(links / switches):,.4g}"
        if links < switches:
            yield Finding(
                "warning", "spread", f"{up}, {above}", f"a {lower} with {int(links):,} uplinks reaches "
                f"{int(links):,} of {int(switches):,} {upper}s, so that not every {upper} joins all leaves",
                (each,), f"{int(switches):,} uplinks a {lower}, or at most {int(links):,} {upper}s; else groups of "
                f"{lower}s with {upper}s of their own, as rails and pods are",
            )  # fmt: skip
        elif links % switches:
            low, high = int(links // switches), -int(-links // switches)
            fits = next(count for count in range(int(switches), 0, -1) if links % count == 0)
            yield Finding(
                "warning", "spread", f"{up}, {above}", f"{int(links):,} uplinks over {int(switches):,} {upper}s are "
                f"uneven: {low} to some, {high} to others, and equal-cost routing fills those with {low} first",
                (each,), f"{fits} {upper}s, or {int(switches) * high} uplinks a {lower}",
            )  # fmt: skip
    leaves, radix, spines = (known.exact(name) for name in ("leaves", "spine_radix", "spines"))
    if leaves and spines and radix and shape.tiers == 2 and shape.separate == 1 and leaves > radix:
        links = known.exact("uplinks")
        if links is None or links >= spines:
            yield Finding(
                "contradiction", "reach", "leaves", f"{int(leaves):,} leaves on spines of {int(radix):,} ports: a "
                "spine has no port for every leaf", (f"{int(leaves):,} > {int(radix):,}",),
                "three tiers, or spines with more ports",
            )  # fmt: skip


def _hops(checked: CountsChecked) -> Iterator[Finding]:
    hops, tiers = checked.claims.value("hops"), checked.shape.tiers
    real = 2 * tiers - 1
    if hops is None or hops == real:
        return
    step = f"2 x {tiers} tiers - 1 = {real} switches"
    if abs(hops - real) == 1 and hops > 0:
        links = "links, those to hosts among them," if hops > real else "links between switches"
        text = f"{int(hops)} hops are the {links} of the longest way; it passes {real} switches"
        yield Finding("note", "hops", "hops", text, (step,), f"say {real} switches")
        return
    text = f"{int(hops)} switches on the longest way; over {tiers} tiers it passes {real}"
    yield Finding("contradiction", "hops", "hops", text, (step,), f"hops: {real}, or another number of tiers")


def _optics(claims: Claims, known: Intervals) -> Iterator[Finding]:
    """Optics against the ends of cables."""
    optics = claims.value("optics")
    if optics is None:
        return
    host, between = known.exact("host_cables"), known.exact("fabric_cables")
    cables = claims.value("cables") or (None if host is None or between is None else host + between)
    if cables is None:
        return
    ends = 2 * cables
    step = f"2 x {int(cables):,} cables = {int(ends):,} ends"
    if optics > ends:
        text = f"{int(optics):,} optics on {int(ends):,} ends of cables"
        yield Finding("contradiction", "optics", "optics", text, (step,), f"at most {int(ends):,}, one an end")
    elif optics < ends and (between is None or optics >= 2 * between):
        text = f"{int(optics):,} optics for {int(ends):,} ends of cables: the others have no optic, or share one"
        fix = "say which cables are copper or active optical, and which optics are twin-port"
        yield Finding("note", "optics", "optics", text, (step,), fix)
    elif between is not None and optics < 2 * between:
        text = (
            f"{int(optics):,} optics do not do for both ends of {int(between):,} cables between switches, unless they "
            "are twin-port or those cables are copper or active optical"
        )
        step = f"2 x {int(between):,} = {int(2 * between):,}"
        yield Finding(
            "contradiction" if optics < between else "warning", "optics", "optics", text, (step,),
            f"{int(2 * between):,}, or {int(between):,} with two links an optic; say which cables have none",
        )  # fmt: skip


def _at_ratio(checked: CountsChecked, known: Intervals) -> Iterator[Finding]:
    """A bisection that is more than the claimed oversubscription leaves of the hosts' bandwidth."""
    written, ratio = checked.claims.numbers.get("bisection"), checked.claims.numbers.get("oversubscription")
    hosts, speed = known.exact("host_cables"), checked.shape.host
    if written is None or ratio is None or hosts is None or speed.gbps is None or ratio.low <= 1:
        return
    if {"bisection", "oversubscription"} & set(checked.doubted):
        return
    whole = hosts * speed.gbps / 2
    most = whole / ratio.low
    if written.low <= most * _ROUNDED_UP:
        return
    gbps = precise_gbps(float(speed.gbps))
    steps = (
        f"{shown('host_cables', hosts)} x {gbps} x 1/2 = {shown('bisection', whole)} at 1:1",
        f"{shown('bisection', whole)} / {float(ratio.low):g} = {shown('bisection', most)}",
    )
    text = f"bisection at {to_one(float(ratio.low))} is {format_gbps(float(most))}, not {written.text}"
    yield Finding(
        "contradiction", "bisection", "bisection, oversubscription", text, steps,
        f"say {format_gbps(float(most))}, or another oversubscription",
    )  # fmt: skip


def _understated(checked: CountsChecked) -> Iterator[Finding]:
    """A bisection below what the counts give."""
    written = checked.claims.numbers.get("bisection")
    real = checked.known_without("bisection", *checked.doubted)
    if written is None or "bisection" in checked.doubted or "bisection" not in real.high:
        return
    fixed = all(real.exact(name) is not None for name in _tiers_cables(checked))
    most = real.high["bisection"]
    if fixed and written.high < most.value * (1 - _NEAR):
        text = f"{written.text} of bisection is less than the counts give, {format_gbps(float(most.value))}"
        fix = f"bisection: {format_gbps(float(most.value))}, if every link is up"
        yield Finding("warning", "bisection", "bisection", text, tuple(most.steps()), fix)


def _tiers_cables(checked: CountsChecked) -> tuple[str, ...]:
    return ("host_cables", "leaf_spine_cables", "spine_core_cables")[: checked.shape.tiers]


def _idle(known: Intervals) -> Iterator[Finding]:
    """Leaves that take no host, and ports that nothing is said to be on."""
    cables, leaves, ports = (known.exact(name) for name in ("host_cables", "leaves", "host_ports"))
    if cables and leaves and ports and leaves * ports - cables >= ports:
        needed = -int(-cables // ports)
        text = f"{int(leaves):,} leaves of {int(ports):,} host links; {int(cables):,} NIC ports fill {needed:,}"
        step = f"{int(cables):,} / {int(ports):,} = {float(cables / ports):,.4g}"
        yield Finding("note", "unused", "leaves", text, (step,), f"{needed:,} leaves, or room to grow said as such")


def _alone(checked: CountsChecked, known: Intervals) -> Iterator[Finding]:
    """Parts whose failure stops all, and leaves that nothing joins."""
    if checked.shape.tiers == 1 and (known.exact("leaves") or 0) > 1:
        text = f"{shown('leaves', known.exact('leaves') or Fraction(2))} and no spine: leaves do not reach each other"
        yield Finding("warning", "reach", "leaves", text, (), "spines above, or the rails kept apart knowingly")
    if checked.shape.tiers > 1 and known.exact("spines") == 1:
        yield Finding(
            "warning", "single-point", "spines", "one spine: its failure parts all leaves", (), "two spines or more"
        )
