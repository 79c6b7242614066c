"""What claims leave open and what is taken for it: tiers, speeds of links, ports of switches."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fabric.review.claims import Claims
from topologies.catalogue import SwitchModel
from topologies.units import precise_gbps

ROLES = ("leaf", "spine", "core")
NO_CLAIMS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Speed:
    """Speed of a kind of link, and the claims it is taken from; None where nothing says it."""

    gbps: Fraction | None
    claims: frozenset[str] = NO_CLAIMS


@dataclass(frozen=True, eq=False)
class Shape:
    """Structure of the fabric that claims are about, fixed before they are weighed against each other.

    Attributes
    ----------
    host, leaf, spine : Speed
        Of links to hosts, up from a leaf, up from a spine.
    separate : int
        Parts of the fabric that meet nowhere: planes, or rails of a rail-only fabric.
    """

    tiers: int
    host: Speed
    leaf: Speed
    spine: Speed
    separate: int
    kind: str
    assumptions: tuple[str, ...]

    def ratio(self, lower: Speed, upper: Speed) -> tuple[Fraction, frozenset[str]]:
        """Speed of links down over that of links up; 1 where one of them is not known."""
        if lower.gbps is None or upper.gbps is None or lower.gbps == upper.gbps:
            return Fraction(1), NO_CLAIMS
        return lower.gbps / upper.gbps, lower.claims | upper.claims


def model_of(claims: Claims, role: str) -> tuple[SwitchModel | None, str]:
    """Model of the switches of a role, and the claim that names it."""
    for key in (f"{role}_model", "model"):
        if key in claims.words:
            return claims.catalogue.switches[claims.words[key]], key
    return None, ""


def port_speed(claims: Claims, role: str) -> Speed:
    """Speed of a port of a switch, before breakout."""
    if "port_speed" in claims:
        return Speed(claims.value("port_speed"), frozenset({"port_speed"}))
    model, key = model_of(claims, role)
    return Speed(Fraction(str(model.speed)), frozenset({key})) if model else Speed(None)


def ways(claims: Claims, role: str, link: Speed) -> tuple[int, frozenset[str]]:
    """Links that a port of a switch is broken out into; 1 where its speed is not known."""
    port = port_speed(claims, role)
    if port.gbps is None or link.gbps is None or link.gbps >= port.gbps:
        return 1, NO_CLAIMS
    return int(port.gbps // link.gbps), port.claims | link.claims


def shape_of(claims: Claims, tiers: int) -> Shape:
    """The structure with so many tiers, with what was assumed for it."""
    said: list[str] = []
    host = _host_speed(claims)
    leaf = _link_speed(claims, ("uplink_speed", "speed"), ("leaf", "spine"))
    spine = _link_speed(claims, ("core_speed", "speed"), ("spine", "core"))
    known = next((each for each in (host, leaf, spine) if each.gbps is not None), Speed(None))
    names = {"links to hosts": host, "leaf-spine links": leaf, "spine-core links": spine}
    missing = [name for name, each in list(names.items())[:tiers] if each.gbps is None]
    if missing:
        at = f" {precise_gbps(float(known.gbps))}," if known.gbps is not None else ""
        said.append(f"{' and '.join(missing)} are taken to run at{at} the speed of the others")
    if "nics" not in claims and "nics_per_host" not in claims and "gpus" in claims:
        said.append("one NIC a GPU")
    if "tiers" not in claims:
        said.append(f"{tiers} tier{'s' if tiers > 1 else ''} of switches")
    kind = claims.words.get("kind", "")
    planes = claims.value("planes") or Fraction(1)
    rails = claims.value("rails") or claims.value("nics_per_host") or claims.value("gpus_per_host")
    separate = int(rails if kind == "rail-only" and rails else planes)
    filled = [Speed(each.gbps or known.gbps, each.claims or known.claims) for each in (host, leaf, spine)]
    return Shape(tiers, filled[0], filled[1], filled[2], separate, kind, tuple(said))


def _host_speed(claims: Claims) -> Speed:
    if "nic_speed" in claims:
        gbps, ports = claims.value("nic_speed"), claims.value("nic_ports") or Fraction(1)
        keys = {"nic_speed", *(["nic_ports"] if "nic_ports" in claims else [])}
        return Speed(None if gbps is None else gbps / ports, frozenset(keys))
    return Speed(claims.value("speed"), frozenset({"speed"})) if "speed" in claims else Speed(None)


def _link_speed(claims: Claims, keys: tuple[str, ...], roles: tuple[str, str]) -> Speed:
    for key in keys:
        if key in claims:
            return Speed(claims.value(key), frozenset({key}))
    ends = [port_speed(claims, role) for role in roles]
    speeds = [end.gbps for end in ends if end.gbps is not None]
    return Speed(min(speeds), ends[0].claims | ends[1].claims) if len(speeds) == len(ends) else Speed(None)
