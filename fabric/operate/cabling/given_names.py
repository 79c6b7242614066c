"""What a file of names says, held against the plan and against itself: a name that is given wins over a planned one.

A switch whose system counts ports from 0 gives ``swp1`` to the port that the plan calls ``swp2``. That is taken where the
port that the plan calls ``swp1`` goes by another name itself; else two ports would have one name, which is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fabric.operate.cabling.aliases import Alias
from topologies.errors import FormatError

Words = Callable[[int, int], str]  # a device, and an end on it or -1, as people know it


@dataclass
class GivenNames:
    """Rows of a file once it is known what they are of.

    Attributes
    ----------
    devices : dict
        Name -> the device, and the row.
    ports : dict
        Device -> lower-case name -> the end, and the row.
    addresses : dict
        Address in one spelling -> device, end (-1: the device alone), and the row.
    """

    words: Words
    file: Path | None
    devices: dict[str, tuple[int, Alias]] = field(default_factory=dict)
    ports: dict[int, dict[str, tuple[int, Alias]]] = field(default_factory=dict)
    addresses: dict[str, tuple[int, int, Alias]] = field(default_factory=dict)

    def give(self, alias: Alias, device: int, end: int, address: str) -> None:
        """Enter a row; what another device or port has already is refused."""
        if address:
            *before, first = self.addresses.setdefault(address, (device, end, alias))
            same = before[0] == device and (before[1] == end or -1 in (before[1], end))
            if not same:
                raise self._twice(alias, first, self.words(device, end), self.words(before[0], before[1]))
            if before[1] < 0:
                self.addresses[address] = device, end, alias
        if end < 0:
            known, first = self.devices.setdefault(alias.alias, (device, alias))
            if known != device:
                raise self._twice(alias, first, self.words(device, -1), self.words(known, -1))
            return
        known, first = self.ports.setdefault(device, {}).setdefault(alias.alias.lower(), (end, alias))
        if known != end:
            raise self._twice(alias, first, self.words(device, end), self.words(device, known))

    def displaced_ports(self, device: int, planned: Mapping[str, int], renamed: set[int]) -> set[str]:
        """Planned names of ports of a device that hold no longer.

        Parameters
        ----------
        planned : mapping
            Lower-case name -> the end that the plan calls so.
        renamed : set of int
            Ends that are given a name, not only an address.
        """
        return self._displaced(self.ports[device], planned, renamed, lambda end: self.words(device, end))

    def displaced_devices(self, planned: Mapping[str, int], renamed: set[int]) -> set[str]:
        """The same of devices."""
        return self._displaced(self.devices, planned, renamed, lambda device: self.words(device, -1))

    def _displaced(
        self,
        given: Mapping[str, tuple[int, Alias]],
        planned: Mapping[str, int],
        renamed: set[int],
        words: Callable[[int], str],
    ) -> set[str]:
        passed = False
        for name, (thing, alias) in given.items():
            owner = planned.get(name, thing)
            if owner in (thing, -1):
                continue
            passed = True
            if owner not in renamed:
                raise self.wrong(
                    alias,
                    f"{alias.alias} is given to {words(thing)}, but it is the plan's name of {words(owner)}",
                    f"where names are exchanged or counted otherwise, say what {words(owner)} goes by as well",
                )
        return {name for name, thing in planned.items() if thing in renamed and name not in given} if passed else set()

    def wrong(self, alias: Alias, message: str, hint: str) -> FormatError:
        """A row that cannot be taken."""
        return FormatError(message, file=str(self.file), line=alias.line, column=1, hint=hint, code="FP6604")

    def _twice(self, alias: Alias, first: Alias, one: str, other: str) -> FormatError:
        where = "the same line" if first.line == alias.line else f"line {first.line}"
        return self.wrong(
            alias,
            f"{alias.alias} is given to {one}, and {where} gives it to {other}",
            "a name or an address is that of one device or port; keep the row that is right",
        )
