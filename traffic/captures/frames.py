"""Where the IP headers of a frame are, through tags, labels and tunnels.

References
----------
tcpdump.org/linktypes.html; RFC 2784 and 2890 (GRE), 7348 (VXLAN), 8926 (GENEVE), 3032 (MPLS), 2516 (PPPoE),
8200 (IPv6), 8754 (segment routing header); draft-foschiano-erspan; InfiniBand Architecture Specification, annexes A16
and A17 (RoCE).
"""

from __future__ import annotations

from typing import NamedTuple

ROCE_PORT = 4791
_TCP, _UDP = 6, 17
_IPV4, _IPV6, _ROCE_V1 = 0x0800, 0x86DD, 0x8915
_TAGS = (0x8100, 0x88A8, 0x9100)
_PPP = {0x0021: _IPV4, 0x0057: _IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
_EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)
CUT = "cut before its addresses"

ETHERNET, NULL, PPP, RAW, PPP_HDLC, LOOP, COOKED, COOKED_2 = 1, 0, 9, 101, 50, 108, 113, 276
_LINK_HEADER = {ETHERNET: 14, NULL: 4, LOOP: 4, RAW: 0, 12: 0, 14: 0, 228: 0, 229: 0, COOKED: 16, COOKED_2: 20,
                PPP: 0, PPP_HDLC: 0}  # fmt: skip


class Ip(NamedTuple):
    """An IP header of a frame."""

    at: int
    version: int  # 4 or 6
    src: bytes
    dst: bytes
    protocol: int  # of the transport header; 0 where a fragment has none
    transport_at: int


def first_ip(frame: bytes, link_type: int) -> Ip | str:
    """The outermost IP header; where there is none, what the frame carries."""
    if link_type == ETHERNET:
        return _ethernet(frame, 0)
    if link_type == COOKED:
        return _of_kind(frame, 16, int.from_bytes(frame[14:16], "big")) if len(frame) >= 16 else CUT
    if link_type == COOKED_2:
        return _of_kind(frame, 20, int.from_bytes(frame[0:2], "big")) if len(frame) >= 20 else CUT
    if link_type in (PPP, PPP_HDLC):
        return _ppp(frame, 0)
    return _bare(frame, _LINK_HEADER[link_type])


def inner_ip(frame: bytes, ip: Ip) -> tuple[Ip, str] | None:
    """The IP header inside a tunnel, and the tunnel's name; None where the packet is no tunnel's."""
    at, protocol = ip.transport_at, ip.protocol
    inner: Ip | str = CUT
    if protocol == _UDP:
        port = int.from_bytes(frame[at + 2 : at + 4], "big")
        if port in (4789, 8472):
            name, inner = "VXLAN", _ethernet(frame, at + 16)
        elif port == 6081 and len(frame) > at + 16:
            name = "GENEVE"
            inner = _of_kind(
                frame, at + 16 + (frame[at + 8] & 0x3F) * 4, int.from_bytes(frame[at + 10 : at + 12], "big")
            )
        else:
            return None
    elif protocol == 47:
        name, inner = _gre(frame, at)
    elif protocol in (4, 41):
        name, inner = ("IP in IP" if protocol == 4 else "IPv6 in IP"), _bare(frame, at)
    else:
        return None
    return (inner, name) if isinstance(inner, Ip) else None


def _gre(frame: bytes, at: int) -> tuple[str, Ip | str]:
    if len(frame) < at + 4:
        return "GRE", CUT
    flags, kind = int.from_bytes(frame[at : at + 2], "big"), int.from_bytes(frame[at + 2 : at + 4], "big")
    inside = at + 4 + 4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000))
    if kind == 0x88BE:  # with a sequence number type II, whose own header has 8 bytes
        return "ERSPAN", _ethernet(frame, inside + (8 if flags & 0x1000 else 0))
    if kind == 0x22EB and len(frame) >= inside + 12:
        return "ERSPAN", _ethernet(frame, inside + (20 if frame[inside + 11] & 1 else 12))
    return "GRE", _of_kind(frame, inside, kind)


def _ethernet(frame: bytes, at: int) -> Ip | str:
    return _of_kind(frame, at + 14, int.from_bytes(frame[at + 12 : at + 14], "big")) if len(frame) >= at + 14 else CUT


def _of_kind(frame: bytes, at: int, kind: int) -> Ip | str:
    """The IP header at ``at`` after an EtherType."""
    while kind in _TAGS:
        kind = int.from_bytes(frame[at + 2 : at + 4], "big")
        at += 4
    if kind == _IPV4:
        return _ipv4(frame, at)
    if kind in (_IPV6, _ROCE_V1):
        return _ipv6(frame, at)
    if kind in (0x8847, 0x8848):
        return _mpls(frame, at)
    if kind == 0x8864:
        return _ppp(frame, at + 6)
    if kind == 0x6558:
        return _ethernet(frame, at)
    if kind < 0x0600:
        if frame[at : at + 3] == b"\xaa\xaa\x03":
            return _of_kind(frame, at + 8, int.from_bytes(frame[at + 6 : at + 8], "big"))
        return "802.3 frame" if len(frame) > at else CUT
    return f"ethertype {kind:#06x}"


def _bare(frame: bytes, at: int) -> Ip | str:
    """An IP header that says by itself which version it is."""
    if len(frame) <= at:
        return CUT
    version = frame[at] >> 4
    return _ipv4(frame, at) if version == 4 else _ipv6(frame, at) if version == 6 else "neither IPv4 nor IPv6"


def _ppp(frame: bytes, at: int) -> Ip | str:
    if frame[at : at + 2] in (b"\xff\x03", b"\x0f\x00"):
        at += 2
        if frame[at - 2] == 0x0F:  # Cisco HDLC has an EtherType
            return _of_kind(frame, at + 2, int.from_bytes(frame[at : at + 2], "big"))
    short = len(frame) > at and frame[at] & 1
    number = frame[at] if short else int.from_bytes(frame[at : at + 2], "big")
    kind = _PPP.get(number)
    return "PPP without IP" if kind is None else _of_kind(frame, at + (1 if short else 2), kind)


def _mpls(frame: bytes, at: int) -> Ip | str:
    while at + 4 <= len(frame):
        bottom = frame[at + 2] & 1
        at += 4
        if bottom:
            if len(frame) > at and frame[at] >> 4 == 0:  # control word of a pseudowire
                return _ethernet(frame, at + 4)
            return _bare(frame, at)
    return CUT


def _ipv4(frame: bytes, at: int) -> Ip | str:
    if len(frame) < at + 20:
        return CUT
    fragment = (frame[at + 6] & 0x1F) << 8 | frame[at + 7]
    header = (frame[at] & 0x0F) * 4
    protocol = 0 if fragment else frame[at + 9]
    return Ip(at, 4, frame[at + 12 : at + 16], frame[at + 16 : at + 20], protocol, at + header)


def _ipv6(frame: bytes, at: int) -> Ip | str:
    if len(frame) < at + 40:
        return CUT
    dst, following, inside = frame[at + 24 : at + 40], frame[at + 6], at + 40
    while following in _EXTENSIONS and len(frame) >= inside + 8:
        if following == 43 and frame[inside + 2] == 4 and frame[inside + 3] and len(frame) >= inside + 24:
            dst = frame[inside + 8 : inside + 24]  # the last segment, not the next one
        size = 8 + frame[inside + 1] * 8
        if following == 44:
            if int.from_bytes(frame[inside + 2 : inside + 4], "big") >> 3:
                return Ip(at, 6, frame[at + 8 : at + 24], dst, 0, inside + 8)
            size = 8
        elif following == 51:
            size = 8 + frame[inside + 1] * 4
        following, inside = frame[inside], inside + size
    return Ip(at, 6, frame[at + 8 : at + 24], dst, following, inside)


def queue_pair(frame: bytes, ip: Ip) -> bytes | None:
    """Destination queue pair of a RoCE packet: bytes 5 to 7 of the base transport header, version 1 and 2."""
    at = ip.transport_at
    if ip.protocol == _UDP and int.from_bytes(frame[at + 2 : at + 4], "big") == ROCE_PORT:
        at += 8
    elif ip.protocol != 0x1B:
        return None
    return frame[at + 5 : at + 8] if len(frame) >= at + 8 else None


def fingerprint(frame: bytes, ip: Ip) -> int:
    """What stays the same of a packet wherever it is seen: not hop counts, DSCP, ECN or checksums."""
    at, body = ip.at, ip.transport_at
    fixed = frame[at + 2 : at + 8] + ip.src + ip.dst if ip.version == 4 else frame[at + 4 : at + 7] + ip.src + ip.dst
    if ip.protocol == _TCP:
        load = frame[body : body + 16]
    elif ip.protocol == _UDP:
        load = frame[body : body + 6] + frame[body + 8 : body + 24]
    else:
        load = frame[body : body + 24]
    return hash(fixed + load)


def flow(frame: bytes, ip: Ip) -> int:
    """The TCP flow of a packet that carries data, as hosts may cut and join its segments; 0 for all others."""
    at = ip.transport_at
    if ip.protocol != _TCP or len(frame) < at + 13:
        return 0
    if ip.version == 4:
        load = int.from_bytes(frame[ip.at + 2 : ip.at + 4], "big") - (at - ip.at) - (frame[at + 12] >> 4) * 4
        if load <= 0 and frame[ip.at + 2 : ip.at + 4] != b"\0\0":  # a segment above 64 KB has the length 0
            return 0
    return hash(ip.src + ip.dst + frame[at : at + 4]) or 1
