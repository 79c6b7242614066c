"""Encryption of links: what it adds to every frame, and so what part of a link's rate it leaves.

A packet in clear of *n* bytes takes n + 38 bytes of an Ethernet link: 14 of header, 4 of check sum, and 20 of preamble
and gap (IEEE 802.3). Encrypted it takes more; the quotient is the part of the link's rate that is left for traffic as
it would be in clear. Headers inside the packet are the ``efficiency`` of the fabric and are not counted here.

MACsec (IEEE 802.1AE) puts a SecTAG of 8 bytes behind the addresses, 16 with the explicit channel identifier (SCI), and
an integrity check value of 8 to 16 bytes at the end (16 with GCM-AES). The packet keeps its size, n = mtu:
(mtu + 38) / (mtu + 38 + SecTAG + ICV).

IPsec ESP in tunnel mode (RFC 4303) puts the whole packet into another whose size is the MTU: an outer IP header of 20
bytes (40: IPv6), 8 of UDP where it passes address translation (RFC 3948), 8 of SPI and sequence number, an
initialisation vector (8 with AES-GCM, RFC 4106; 16 with AES-CBC, RFC 3602), padding to 4 bytes (to 16 with CBC), 2 of
pad length and next header, and the ICV (16 with GCM and with HMAC-SHA-256-128, RFC 4868). Hosts send packets of the n
bytes that are left, so that nothing is fragmented: (n + 38) / (mtu + 38). That their own headers come a little more
often is not counted: 40 bytes in 1,438 instead of 1,500 are 0.1 % of the rate.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from topologies.registry import Spec
from topologies.units import Ratio, percent

FRAME_BYTES = 38  # Ethernet header 14, check sum 4, preamble and start 8, gap 12
_OF_KIND = {"macsec": ("sci", "icv"), "ipsec": ("cipher", "outer", "nat_traversal")}


class Encryption(Spec):
    """What encrypts frames or packets, and on which links.

    Examples
    --------
    >>> round(Encryption(kind="macsec", mtu=1500).left, 6)
    0.979618
    >>> Encryption(kind="ipsec", mtu=1500).inner_bytes
    1446
    """

    kind: Literal["none", "macsec", "ipsec"] = Field(
        default="none", description="none, macsec (frames of a link), or ipsec (packets, ESP in tunnel mode)"
    )
    mtu: Annotated[int, Field(le=65_535)] | None = Field(
        default=None,
        description="Largest IP packet of the links, bytes, which large messages fill; has to be given, or efficiency",
        examples=[1500, 9000],
    )
    tiers: tuple[str, ...] | None = Field(
        default=None,
        description="Tiers whose links are encrypted; default: all links of the fabric",
        examples=[["spine-border"]],
    )
    sci: bool = Field(default=True, description="Of macsec: frames name their channel, a SecTAG of 16 bytes, else 8")
    icv: Annotated[int, Field(ge=8, le=16)] = Field(
        default=16, description="Of macsec: bytes of the integrity check value; 16 with GCM-AES"
    )
    cipher: Literal["aes-gcm", "aes-cbc-sha256"] = Field(
        default="aes-gcm", description="Of ipsec: decides initialisation vector, padding and check value"
    )
    outer: Literal["ipv4", "ipv6"] = Field(default="ipv4", description="Of ipsec: IP version of the outer packet")
    nat_traversal: bool = Field(default=False, description="Of ipsec: packets inside UDP, 8 bytes more")
    efficiency: Annotated[Ratio, Field(gt=0, le=1)] | None = Field(
        default=None, description="Measured part of a link's rate that encryption leaves, instead of the one worked out"
    )

    @model_validator(mode="after")
    def _agree(self) -> Encryption:
        given = self.model_fields_set
        if self.tiers == ():
            raise ValueError("tiers is empty, so nothing is encrypted; name tiers, or remove it: all links are then")
        if self.kind == "none":
            return self
        other = [name for kind, names in _OF_KIND.items() if kind != self.kind for name in names if name in given]
        if other:
            raise ValueError(f"{', '.join(other)} says nothing of {self.kind}; remove it")
        if self.efficiency is not None and self.mtu is not None:
            raise ValueError(
                "efficiency is measured and mtu works it out: both say what encryption leaves; remove one of them"
            )
        if self.efficiency is not None:
            return self
        if self.mtu is None:
            raise ValueError(f"{self.kind} adds to every packet, so mtu has to be known; add mtu: 1500, or efficiency")
        least = 1280 if self.kind == "ipsec" and self.outer == "ipv6" else 576
        if self.mtu < least:
            raise ValueError(
                f"an MTU of {self.mtu:,} bytes is below {least}, the least that every IP link carries; write the "
                "largest packet of the links, such as 1500 or 9000"
            )
        return self

    @property
    def inner_bytes(self) -> int:
        """The largest packet in clear that fits, bytes."""
        if self.mtu is None:
            return 0
        return self.mtu if self.kind != "ipsec" else self.mtu - self.added_bytes

    @property
    def added_bytes(self) -> int:
        """What it adds to the largest packet, padding with it, bytes.

        >>> Encryption(kind="macsec", mtu=9000, sci=False).added_bytes
        24
        >>> [Encryption(kind="ipsec", mtu=1500, cipher=c, nat_traversal=n).added_bytes
        ...     for c in ("aes-gcm", "aes-cbc-sha256") for n in (False, True)]
        [54, 62, 62, 78]
        """
        if self.kind == "macsec":
            return (16 if self.sci else 8) + self.icv
        if self.kind == "none" or self.mtu is None:
            return 0
        vector, block = (8, 4) if self.cipher == "aes-gcm" else (16, 16)
        fixed = (20 if self.outer == "ipv4" else 40) + 8 * self.nat_traversal + 8 + vector + 16
        body = (self.mtu - fixed) // block * block  # packet, padding and the 2 bytes behind it
        return self.mtu - (body - 2)

    @property
    def left(self) -> float:
        """Part of a link's rate that is left for traffic as it is in clear, above 0 and at most 1."""
        if self.efficiency is not None and self.kind != "none":
            return self.efficiency
        if self.kind == "none" or self.mtu is None:
            return 1.0
        in_clear = self.inner_bytes + FRAME_BYTES
        return in_clear / (in_clear + self.added_bytes)

    @property
    def of_line_rates(self) -> str:
        """That rates are those of ports, and what is left of them, in words; empty where that is all."""
        return "" if self.left == 1 else f"rates are line rates; {self.described}"

    @property
    def described(self) -> str:
        """What it leaves, and why, in words."""
        where = "all links" if self.tiers is None else f"the links of {', '.join(self.tiers)}"
        text = f"{self.kind} leaves {percent(self.left)} of the rate of {where}"
        if self.efficiency is not None:
            return f"{text}, as measured"
        return f"{text}: {self.added_bytes} bytes more on a packet of {self.inner_bytes:,}"
