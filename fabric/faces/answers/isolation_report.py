"""What the proof of isolation has seen, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.output.document import Line
    from fabric.rules.verify.findings import Hop, Isolation, VrfHop


def isolation_lines(proof: Isolation) -> list[Line]:
    """The outcome, who is shared by design, and what it covers."""
    from fabric.output.document import Line

    apart = not any(one.kind in ("crossing", "ambiguous") for one in proof.findings)
    crossing = sum(one.kind == "crossing" for one in proof.findings)
    what = f"{len(proof.tenants):,} tenants, {proof.access_ports:,} ports of hosts"
    if apart:
        words = f"tenants apart: {what}; intact, and under each of {proof.failures:,} failures of a cable or a switch"
        lines = [Line(words, "good")]
    else:
        lines = [Line(f"tenants not apart: {what}; {crossing:,} of their pairs exchange packets", "bad")]
    lines += [Line(f"shared by design: {name}, with {', '.join(others)}") for name, others in proof.shared]
    if len(proof.tenants) > 1:
        lines.append(
            Line("tenants share the switches and the cables between them by design; rules, keys or VRFs part them")
        )
    return lines


def isolation_record(proof: Isolation) -> dict[str, Any]:
    """The outcome, with every counter-example as a packet and its hops."""
    return {
        "holds": proof.holds,
        "tenants": list(proof.tenants),
        "shared_by_design": [{"tenant": name, "with": list(others)} for name, others in proof.shared],
        "access_ports": proof.access_ports,
        "packet_sets": proof.points,
        "classes": proof.classes,
        "single_failures": proof.failures,
        "crossings": [
            {
                "src": one.src,
                "src_tenant": one.src_tenant,
                "dst": one.dst,
                "dst_tenant": one.dst_tenant,
                "packet": {
                    "family": one.packet.family,
                    "src": one.packet.src_text,
                    "src_forged": one.forged,
                    "dst": one.packet.dst_text,
                    "protocol": one.packet.protocol,
                    "src_port": one.packet.src_port,
                    "dst_port": one.packet.dst_port,
                },
                "hops": [_hop(hop) for hop in one.hops],
            }
            for one in proof.crossings
        ],
    }


def _hop(hop: Hop | VrfHop) -> dict[str, Any]:
    """A switch on the way of a counter-example: the rule that decides, or the VRF."""
    from fabric.rules.probes import match_text
    from fabric.rules.verify.findings import VrfHop

    if isinstance(hop, VrfHop):
        return hop._asdict()
    return {
        "switch": hop.switch,
        "in_port": hop.in_port,
        "match": match_text(hop.rule.match),
        "priority": hop.rule.priority,
        "cookie": f"{hop.rule.cookie:#x}",
        "group": hop.rule.action.value if hop.rule.action.kind == "group" else None,
        "out_port": hop.out_port,
        "to": hop.to,
    }
