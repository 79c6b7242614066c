"""Orders of hosts, and of ranks on them, that a search begins with.

A **host order** says which hosts a job takes, and in which order; a **layout** how its ranks fill them. Ranks of a
tensor-parallel group stay together where the group divides a host: they are one block; else every rank is one. Blocks
are sorted by the other dimensions, fastest first, or by tiles of two of them that fill a group of hosts, and fill a
host at a time, or, rail by rail, one slot of all hosts at a time, back and forth, so that the ring goes on where it
turns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from fabric.share.place.groups import HostGroups
from fabric.share.place.setting import PlaceSetting
from topologies.columns import Bools, Floats, Ints, column

Digit = tuple[str, int, int]  # of a mixed-radix number: dimension, stride in it, size


def host_orders(
    groups: HostGroups, free: Bools, wanted: int, near: Floats | None = None, domains: Ints | None = None
) -> Iterator[tuple[str, Ints]]:
    """Named choices of hosts in order, each of shape (wanted,).

    Parameters
    ----------
    near : ndarray of float, shape (H,), optional
        Distance of every host from the job's data.
    domains : ndarray of int, shape (H,), optional
        Scale-up domain of every host, where one joins several: groups below all others.
    """
    tree = groups.tree_order[free[groups.tree_order]]
    yield "tree order", column(tree[:wanted], np.int32)
    levels = [*([(domains, "domain")] if domains is not None else []), *zip(groups.of_host, groups.words, strict=True)]
    for of_host, word in levels:
        room = np.bincount(of_host[free & (of_host >= 0)], minlength=int(of_host.max(initial=-1)) + 1)
        if len(room) < 2:
            continue
        yield f"fullest {word} first", _sorted(tree, -room[of_host[tree]], of_host[tree])[:wanted]
        tightest = np.flatnonzero(room >= wanted)
        if len(tightest):
            best = int(tightest[np.argmin(room[tightest])])
            yield f"tightest {word}", column(tree[of_host[tree] == best][:wanted], np.int32)
        turn = np.zeros(len(tree), dtype=np.int64)
        for group in range(len(room)):
            turn[of_host[tree] == group] = np.arange(room[group])
        over = _sorted(tree, turn, of_host[tree])[:wanted]
        yield f"spread over {word}s", column(np.array(over)[np.argsort(of_host[over], kind="stable")], np.int32)
        yield f"in turn over {word}s", over
    if near is not None and np.ptp(near[tree]) > 0:
        order = _sorted(tree, near[tree])[:wanted]
        yield "near its data", column(tree[np.isin(tree, order)], np.int32)


def _sorted(hosts: Ints, *keys: ArrayLike) -> Ints:
    """Hosts by keys, the first counting most; ties stay in their order."""
    return column(
        hosts[np.lexsort(np.stack([np.arange(len(hosts)), *(np.asarray(key) for key in reversed(keys))]))], np.int32
    )


def block_width(setting: PlaceSetting) -> int:
    """Ranks of a block, which stay together: of a tensor-parallel group where it divides a host and the job; else 1."""
    width = setting.grid.sizes["tp"]
    return 1 if setting.per_host % width or setting.ranks % width else width


def layouts(setting: PlaceSetting) -> Iterator[tuple[str, Ints]]:
    """Named orders of ranks over the GPUs of hosts in a row, each of shape (ranks,): the seat of every rank.

    Seat s is GPU s mod g of the host in position s div g. Where ranks do not fill the hosts, the last has fewer.
    """
    yield "ranks in order", column(np.arange(setting.ranks), np.int32)
    grid, per_host, width = setting.grid, setting.per_host, block_width(setting)
    dims = [name for name in ("tp", "cp", "ep", "dp", "pp") if grid.sizes[name] > 1 and (name != "tp" or width == 1)]
    if not dims:
        return
    at = grid.coordinates(np.arange(setting.ranks))
    inside = at["tp"] if width > 1 else 0
    slots, hosts = per_host // width, setting.wanted
    for name, digits in (*_orders(dims, grid.sizes), *_tiles(dims, grid.sizes, _rooms(setting, slots))):
        block = np.zeros(setting.ranks, dtype=np.int64)
        for dim, stride, size in reversed(digits):
            block = block * size + at[dim] // stride % size
        yield f"{name} by host", column(block * width + inside, np.int32)
        if slots > 1:
            slot, step = block // hosts, block % hosts
            host = np.where(slot % 2 == 0, step, hosts - 1 - step)
            yield f"{name} by rail", column(host * per_host + slot * width + inside, np.int32)


def _orders(dims: list[str], sizes: Mapping[str, int]) -> Iterator[tuple[str, list[Digit]]]:
    """Dimensions in every order, the fastest first."""
    for order in itertools.permutations(dims):
        yield "-".join(order), [(dim, 1, sizes[dim]) for dim in order]


def _rooms(setting: PlaceSetting, slots: int) -> list[int]:
    """Blocks that the groups of a level hold most often, by level."""
    found = []
    for of_host in setting.groups.of_host:
        room = np.bincount(of_host[setting.free & (of_host >= 0)])
        found.append(int(np.bincount(room[room > 0]).argmax()) * slots if room.any() else 0)
    return sorted({room for room in found if room > 1})


def _tiles(dims: list[str], sizes: Mapping[str, int], rooms: list[int]) -> Iterator[tuple[str, list[Digit]]]:
    """Parts of two dimensions that fill a group of hosts together: neighbours along both are near."""
    for room, (one, other) in itertools.product(rooms, itertools.permutations(dims, 2)):
        for part in range(2, sizes[one]):
            rest = room // part
            if sizes[one] % part or room % part or rest < 2 or rest >= sizes[other] or sizes[other] % rest:
                continue
            inner: list[Digit] = [(one, 1, part), (other, 1, rest)]
            outer = [(one, part, sizes[one] // part), (other, rest, sizes[other] // rest)]
            more = [(dim, 1, sizes[dim]) for dim in dims if dim not in (one, other)]
            yield f"{part} {one} x {rest} {other}", [*inner, *outer, *more]


def seated(hosts: Ints, seats: Ints, per_host: int) -> Ints:
    """Host and GPU of every rank, shape (ranks, 2)."""
    return column(np.stack([hosts[seats // per_host], seats % per_host], axis=1), np.int32)
