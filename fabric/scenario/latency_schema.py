"""Keys of a fabric about the time that a message is on its way, however short it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from topologies.registry import Spec
from topologies.units import LengthM, TimeS, VolumeBytes, format_seconds, size_label


class FabricLatency(Spec):
    """One way through the fabric: two NICs, and per hop a switch, its cable, and the packet on the link.

    References
    ----------
    Switches: data sheets of Ethernet switches of 12.8 to 51.2 Tb/s give 0.4 to 0.8 µs from port to port, of InfiniBand
    0.13 µs (Quantum) to 0.25 µs. NICs: ``ib_write_lat`` between two ConnectX without a switch takes about 1 µs, half
    of it at each end. Light in glass takes 5 ns a metre.
    """

    switch: TimeS = Field(default=600e-9, description="A switch, from port to port", examples=["600 ns"])
    nic: TimeS = Field(default=500e-9, description="A NIC with its PCIe, at one end", examples=["500 ns"])
    per_metre: TimeS = Field(default=5e-9, description="A metre of cable", examples=["5 ns"])
    cable: LengthM = Field(
        default=20.0, description="Length of cables that the topology gives no length and no delay", examples=["20 m"]
    )
    packet: Annotated[VolumeBytes, Field(gt=0)] = Field(
        default=4096.0, description="Packet that every hop takes in whole before it goes on", examples=["4 KiB"]
    )

    @property
    def described(self) -> str:
        """What a message takes on its way, in words."""
        return (
            f"a message takes {format_seconds(self.nic)} in each NIC, {format_seconds(self.switch)} in a switch, "
            f"{format_seconds(self.per_metre)} for a metre of cable, {self.cable:g} m where no length is known, and a "
            f"packet of {size_label(self.packet)} on every link"
        )
