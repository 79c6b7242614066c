"""VRFs of a switch read back: ``links/NAME.ip`` says what is in which, ``switches/NAME.conf`` what each routes.

Only lines that an export writes are taken, and ``import vrf NAME`` of BGP, which people add by hand: what cannot be
read might make tenants meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import (
    ip_address,
    ip_interface,
    ip_network,
)
from pathlib import Path

from fabric.rules.errors import RuleError
from fabric.rules.vrf_tables import DEFAULT, Process, Static, VrfFiles
from topologies.errors import FormatError
from topologies.reading.text_input import read_text


def read_vrfs(folder: Path, stem: str) -> VrfFiles:
    """The files of one switch.

    Raises
    ------
    RuleError
        FP8057 with the file and the line, for a line that an export does not write.
    """
    found = VrfFiles()
    _each(folder / "links" / f"{stem}.ip", _LINKS, found, _Place())
    _each(folder / "switches" / f"{stem}.conf", _CONF, found, _Place())
    return found


@dataclass(eq=False)
class _Place:
    """Where in a configuration a line stands."""

    line: int = 0
    interface: str = ""
    vrf: str = DEFAULT
    process: Process | None = None
    family: int = 4


_Take = Callable[[VrfFiles, _Place, re.Match[str]], object]


def _each(path: Path, grammar: Mapping[str, _Take], found: VrfFiles, place: _Place) -> None:
    try:
        text = read_text(path)
    except FormatError as error:
        raise RuleError(
            f"{path} cannot be read: {error.problems[0].message}", hint="export again", code="FP8057"
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        place.line = number
        for pattern, take in grammar.items():
            match = re.fullmatch(pattern, line.rstrip())
            if match is None:
                continue
            try:
                wrong = take(found, place, match)
            except ValueError as error:
                wrong = str(error)
            if isinstance(wrong, str):
                raise _refused(path, number, wrong)
            break
        else:
            raise _refused(path, number, f"{line.strip()[:80]!r} is no line of an export")


def _refused(path: Path, number: int, words: str) -> RuleError:
    return RuleError(
        f"{words}; tenants might meet by what is not read", file=str(path), line=number, hint="export again",
        code="FP8057",
    )  # fmt: skip


def _nothing(*_: object) -> None:
    """A line that no packet meets."""


# ---- links/NAME.ip ---------------------------------------------------------------------------------------------------


def _vrf(found: VrfFiles, _: _Place, match: re.Match[str]) -> str | None:
    if match[1] in found.tables:
        return f"VRF {match[1]} is made twice"
    found.tables[match[1]] = int(match[2])
    return None


def _vlan(found: VrfFiles, _: _Place, match: re.Match[str]) -> str | None:
    if match[2] in found.parent or (match[1], int(match[3])) in found.parent.values():
        return f"{match[2]}, or VLAN {match[3]} of {match[1]}, is made twice"
    found.parent[match[2]] = (match[1], int(match[3]))
    return None


def _master(found: VrfFiles, _: _Place, match: re.Match[str]) -> str | None:
    if match[2] not in found.tables:
        return f"no VRF {match[2]} is made before"
    found.master[match[1]] = match[2]
    return None


_NAME = r"([A-Za-z0-9_.-]+)"
_LINKS: dict[str, _Take] = {
    rf"link add {_NAME} type vrf table (\d{{1,9}})": _vrf,
    rf"link add link (eth\d+) name {_NAME} type vlan id (\d{{1,4}})": _vlan,
    rf"link set {_NAME} master {_NAME}": _master,
    rf"link set {_NAME} up": _nothing,
}


# ---- switches/NAME.conf ----------------------------------------------------------------------------------------------


def _interface(found: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    place.interface, place.process, place.vrf = match[1], None, DEFAULT
    found.said[match[1]] = match[2] or DEFAULT


def _address(found: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    found.addresses.setdefault(place.interface, []).append(ip_interface(match[1]))


def _begin_vrf(_: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    place.vrf = match[1]


def _end_vrf(_: VrfFiles, place: _Place, __: re.Match[str]) -> None:
    place.vrf = DEFAULT


def _static(found: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    route = Static(ip_network(match[1]), match[2], match[3] or place.vrf, place.line)
    found.statics.setdefault(place.vrf, []).append(route)


def _drop(found: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    found.drops.setdefault(place.vrf, []).append(ip_network(match[1]))


def _router(found: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    place.vrf = DEFAULT
    place.process = found.bgp.setdefault(match[2] or DEFAULT, Process(int(match[1])))


def _family(_: VrfFiles, place: _Place, match: re.Match[str]) -> None:
    place.family = int(match[1])


def _of_bgp(take: Callable[[Process, int, re.Match[str]], object]) -> _Take:
    def taken(_: VrfFiles, place: _Place, match: re.Match[str]) -> str | None:
        if place.process is None:
            return "a line of BGP outside of router bgp"
        take(place.process, place.family, match)
        return None

    return taken


_CONF: dict[str, _Take] = {
    r"|!|end|frr defaults datacenter|hostname \S+|no ipv6 forwarding": _nothing,
    r"route-map bandwidth permit 10| set extcommunity bandwidth num-multipaths": _nothing,
    rf"interface {_NAME}(?: vrf {_NAME})?": _interface,
    r" ip(?:v6)? address (\S+)": _address,
    rf"vrf {_NAME}": _begin_vrf,
    r"exit-vrf": _end_vrf,
    r" ?ip(?:v6)? route (\S+) blackhole 254": _drop,
    rf" ?ip(?:v6)? route (\S+) (eth[0-9.]+)(?: nexthop-vrf {_NAME})?": _static,
    rf"router bgp (\d{{1,10}})(?: vrf {_NAME})?": _router,
    r" bgp router-id \S+| no bgp ebgp-requires-policy| no bgp default ipv4-unicast": _nothing,
    r" bgp bestpath as-path multipath-relax| exit-address-family": _nothing,
    r" address-family ipv([46]) unicast": _family,
    r"  maximum-paths \d+|  neighbor \S+ route-map bandwidth out": _nothing,
    r" neighbor (\S+) remote-as (\d{1,10})": _of_bgp(
        lambda process, _, match: process.neighbours.update({ip_address(match[1]): int(match[2])})
    ),
    r"  neighbor (\S+) activate": _of_bgp(
        lambda process, family, match: process.active.add((family, ip_address(match[1])))
    ),
    r"  network (\S+)": _of_bgp(lambda process, _, match: process.networks.append(ip_network(match[1]))),
    rf"  import vrf {_NAME}": _of_bgp(
        lambda process, family, match: process.imports.append((family, "" if match[1] == "default" else match[1]))
    ),
}
