"""What is heard, as columns: on a port of a device, the names that its neighbour and the port there go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from topologies.errors import FormatError

Names = tuple[str, ...]  # what one thing may go by, the best first


@dataclass
class Neighbours:
    """Records of who hears whom, one row each; filled by readers, file by file.

    Attributes
    ----------
    device, port : list of str
        Where it is heard.
    far_device, far_port : list of tuple of str
        What the neighbour and its port go by: names, descriptions and addresses, the best first.
    gbps : list of float
        Speed of the cable, Gbps; nan where it is not told.
    file, line : list of int
        Row of ``files``, and the line in it from 1; 0 where it is not known.
    heard_by : dict
        Devices that told what they hear, with the row of ``files``; also of devices that hear nothing.
    switches : set of str
        Devices that are switches, where the format says what is one.
    whole : bool
        Whether one observer told of every cable, as a subnet manager does.
    numbered : bool
        Whether ports go by their number on the device, from 1.
    """

    device: list[str] = field(default_factory=list)
    port: list[str] = field(default_factory=list)
    far_device: list[Names] = field(default_factory=list)
    far_port: list[Names] = field(default_factory=list)
    gbps: list[float] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    heard_by: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    switches: set[str] = field(default_factory=set)
    whole: bool = False
    numbered: bool = False

    def __len__(self) -> int:
        return len(self.device)

    def listen(self, device: str) -> None:
        """A device tells what it hears, in the file that is read.

        Raises
        ------
        FormatError
            FP6602 where another file has told it.
        """
        here = len(self.files) - 1
        before = self.heard_by.setdefault(device, here)
        if before != here:
            raise FormatError(
                f"{device} is told of in {self.files[before].name} as well",
                file=str(self.files[here]),
                hint="keep the file that was written last",
                code="FP6602",
            )

    def add(
        self,
        device: str,
        port: str,
        far_device: Names,
        far_port: Names,
        *,
        gbps: float = float("nan"),
        line: int = 0,
    ) -> None:
        """One record of the file that is read; names that are empty are left out."""
        self.device.append(device)
        self.port.append(port)
        self.far_device.append(tuple(name for name in far_device if name))
        self.far_port.append(tuple(name for name in far_port if name))
        self.gbps.append(gbps)
        self.file.append(len(self.files) - 1)
        self.line.append(line)

    def place(self, row: int) -> str:
        """Where a record stands, ``leaf0.json:12``."""
        file = self.files[self.file[row]].name
        return f"{file}:{self.line[row]}" if self.line[row] else file

    def rows(self) -> Iterator[tuple[str, str, Names, Names]]:
        """Records one by one."""
        return zip(self.device, self.port, self.far_device, self.far_port, strict=True)
