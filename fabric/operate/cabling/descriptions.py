"""What subnet managers describe nodes as, and what of the plan that is.

- A switch of NVIDIA is ``MF0;NAME:MODEL/U1``, and goes by NAME; ASICs of a chassis share one, and are not told apart.
- An adapter is its host and its own name, ``gpu0 mlx5_1`` or ``gpu0 HCA-2``. Adapters of a host are its NICs in the
  order of their names; where some are not told, by all names that hosts with as many NICs tell, or by their numbers.
  Where that does not say it either, the host is known and the NIC is not.

References
----------
The console of MLNX-OS and the rules of rdma-ndd(8) set these descriptions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabric.operate.cabling.planned import PlannedEnds

_SWITCH = re.compile(r"^MF\d+;(.+):[^:/]+/U\d+$")
_ADAPTER = re.compile(r"^(\S+)\s+(\S+)$")
_NUMBER = re.compile(r"(\d+)")
_NIC = re.compile(r"nic(\d+)(?:p\d+)?$")
_SHOWN = 3


@dataclass(frozen=True)
class Nics:
    """NICs of a host on the fabrics that are told of: the ends of each, port by port."""

    ends: tuple[tuple[int, ...], ...]
    one_fabric: bool


@dataclass
class Taken:
    """Ends of the ports of adapters by description, none where the NIC is not known; what is to be said."""

    ends: dict[str, tuple[int, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def switch_names(told: Iterable[str]) -> dict[str, str]:
    """Names within descriptions of switches; those of several are left out.

    >>> switch_names(["MF0;leaf0:MQM9700/U1", "MF0;big:CS7500/L01/U1", "MF0;big:CS7500/L02/U1", "gpu0 mlx5_0"])
    {'MF0;leaf0:MQM9700/U1': 'leaf0'}
    """
    found = {name: match[1] for name in sorted(set(told)) if (match := _SWITCH.match(name))}
    often: dict[str, int] = defaultdict(int)
    for short in found.values():
        often[short] += 1
    return {name: short for name, short in found.items() if often[short] == 1}


def adapter_of(name: str) -> tuple[str, str]:
    """Host and adapter of a description; empty where it is none.

    >>> adapter_of("gpu0 mlx5_1"), adapter_of("leaf0")
    (('gpu0', 'mlx5_1'), ('', ''))
    """
    match = _ADAPTER.match(name)
    return (match[1], match[2]) if match else ("", "")


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """For sorting: numbers in a name by their value.

    >>> sorted(["mlx5_10", "mlx5_9"], key=natural)
    ['mlx5_9', 'mlx5_10']
    """
    parts = _NUMBER.split(name)
    return tuple((text, int(number or -1)) for text, number in zip(parts[::2], [*parts[1::2], ""], strict=True))


def nics_of(ends: PlannedEnds, rows: Sequence[int], fabrics: set[int]) -> Nics:
    """NICs of a host by its ends, in the order of the plan."""
    mine = [end for end in rows if not fabrics or int(ends.fabric[end]) in fabrics]
    mine.sort(key=lambda end: int(ends.ordinal[end]))
    groups: dict[tuple[int, ...], list[int]] = {}
    for end in mine:
        label = _NIC.search(ends.port[end])
        key = (int(ends.fabric[end]), int(label[1])) if label else (int(ends.fabric[end]), -1, end)
        groups.setdefault(key, []).append(end)
    return Nics(tuple(tuple(own) for own in groups.values()), len({key[0] for key in groups}) == 1)


def adapters(
    told: Mapping[int, Mapping[str, str]],
    nics: Mapping[int, Nics],
    given: Mapping[int, Mapping[str, int]],
    hosts: Sequence[str],
) -> Taken:
    """Which NIC every adapter is.

    Parameters
    ----------
    told : mapping
        By device, its adapters: own name -> description.
    nics : mapping
        By device, its NICs.
    given : mapping
        By device, adapters that a file of names says the NIC of: own name -> number.
    hosts : sequence of str
        Names of devices.
    """
    taken = Taken()
    alike: dict[int, set[str]] = defaultdict(set)
    for device, own in told.items():
        alike[len(nics[device].ends)] |= own.keys()
    examples: list[str] = []
    dim: list[int] = []
    for device, own in told.items():
        have = nics[device]
        if len(have.ends) == 1 and len(own) == 1:
            continue
        order = _order(set(own), alike[len(have.ends)], len(have.ends)) if have.one_fabric else None
        named = given.get(device, {})
        if order is None and len(named) < len(own):
            dim.append(device)
        order = {**(order or {}), **named}
        for name, description in own.items():
            taken.ends[description] = have.ends[order[name]] if name in order else ()
            if name in order and len(examples) < _SHOWN:
                examples.append(f"{description} = NIC {order[name]} of {hosts[device]}")
    if examples:
        taken.notes.append(
            f"adapters are taken for the NICs of their host in the order of their names: {', '.join(examples)}"
            + (", …" if len(taken.ends) > len(examples) else "")
        )
    if dim:
        first = dim[0]
        taken.notes.append(
            f"{len(dim):,} hosts tell of adapters that may be any of their NICs, such as {hosts[first]}: "
            f"{', '.join(sorted(told[first], key=natural))} for {len(nics[first].ends):,} NICs planned; --names "
            f"FILE says which, such as a row {hosts[first]},nic0,{next(iter(told[first].values()))}"
        )
    return taken


def _order(own: set[str], alike: set[str], count: int) -> dict[str, int] | None:
    """Number of the NIC of every adapter of a host; None where it is not known.

    >>> _order({"x1", "x9"}, {"x1", "x3", "x5", "x9"}, 4)["x9"], _order({"mlx5_2"}, {"mlx5_2"}, 4)["mlx5_2"]
    (3, 2)
    >>> _order({"a", "b"}, {"a", "b"}, 4) is None
    True
    """
    for names in (own, alike):
        if len(names) == count:
            return {name: at for at, name in enumerate(sorted(names, key=natural))}
    numbers: dict[str, int] = {}
    for name in alike | own:
        digits = _NUMBER.findall(name)
        if not digits:
            return None
        numbers[name] = int(digits[-1]) - int(name.upper().startswith("HCA-"))
    if all(0 <= number < count for number in numbers.values()) and len(set(numbers.values())) == len(numbers):
        return numbers
    return None


def told_fabrics(ends: PlannedEnds, devices: Iterable[int]) -> set[int]:
    """Fabrics of the switches among some devices."""
    wanted = np.zeros(len(ends.devices), dtype=np.bool_)
    wanted[list(devices)] = True
    return set(np.unique(ends.fabric[wanted[ends.device] & ends.is_switch]).tolist())
