"""The fewest prefix rules that say what a switch does with every address.

R. Draves, C. King, S. Venkatachary, B. Zill, "Constructing optimal IP routing tables" (ORTC), INFOCOM 1999: from the
leaves up, a node of the address tree keeps the actions with which its subtree needs least rules (what both halves
share, else either's); from the root down, a rule is written where the action inherited is not among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled
from topologies.columns import Ints, Longs

Words = NDArray[np.uint64]


@compiled
def _blocks(start: Longs, action: Ints, span: int, offset: Longs, bits: Ints, acts: Ints) -> int:
    """Cut intervals into aligned powers of two, in order; returns how many."""
    count = 0
    for index in range(len(start)):
        at = start[index]
        end = start[index + 1] if index + 1 < len(start) else np.int64(1) << span
        while at < end:
            size = 0
            while size < span and (at >> size) & 1 == 0 and at + (np.int64(2) << size) <= end:
                size += 1
            offset[count], bits[count], acts[count] = at, size, action[index]
            count += 1
            at += np.int64(1) << size
    return count


@compiled
def _aggregate(start: Longs, action: Ints, span: int, words: int, out: Longs) -> int:
    """ORTC over a full cover of the address space; rows of ``out`` are (offset, bits, action)."""
    room = len(start) * 2 * (span + 1) + 2
    offset, bits, acts = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int32)
    leaves = _blocks(start, action, span, offset, bits, acts)
    nodes = 2 * leaves
    sets = np.zeros((nodes, words), dtype=np.uint64)
    at, size = np.empty(nodes, np.int64), np.empty(nodes, np.int32)
    left, right = np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32)
    stack = np.empty(span + 2, np.int32)
    depth = known = 0
    for leaf in range(leaves):
        at[known], size[known] = offset[leaf], bits[leaf]
        sets[known, acts[leaf] >> 6] = np.uint64(1) << np.uint64(acts[leaf] & 63)
        stack[depth] = known
        known += 1
        depth += 1
        while depth >= 2 and size[stack[depth - 1]] == size[stack[depth - 2]]:
            low, high = stack[depth - 2], stack[depth - 1]
            if (at[low] >> size[low]) & 1:
                break
            at[known], size[known], left[known], right[known] = at[low], size[low] + 1, low, high
            common = False
            for word in range(words):
                sets[known, word] = sets[low, word] & sets[high, word]
                common |= sets[known, word] != 0
            if not common:
                for word in range(words):
                    sets[known, word] = sets[low, word] | sets[high, word]
            depth -= 1
            stack[depth - 1] = known
            known += 1
    inherited = np.full(known, -1, np.int32)
    rules = 0
    for node in range(known - 1, -1, -1):
        mine = inherited[node]
        if mine < 0 or not (sets[node, mine >> 6] >> np.uint64(mine & 63)) & np.uint64(1):
            word = 0
            while sets[node, word] == 0:
                word += 1
            bit = 0
            while not (sets[node, word] >> np.uint64(bit)) & np.uint64(1):
                bit += 1
            mine = word * 64 + bit
            out[rules, 0], out[rules, 1], out[rules, 2] = at[node], size[node], mine
            rules += 1
        if left[node] >= 0:
            inherited[left[node]] = mine
            inherited[right[node]] = mine
    return rules


def aggregate(start: Longs, action: Ints, span_bits: int, actions: int) -> Longs:
    """Fewest rules for a function of the offset that is constant on intervals.

    Parameters
    ----------
    start : ndarray, shape (n,)
        First offset of every interval, ascending from 0; the last ends at 2 ** span_bits.
    action : ndarray, shape (n,)
        Action of every interval, 0 to ``actions`` - 1.

    Returns
    -------
    ndarray, shape (rules, 3)
        Offset, bits (a rule covers 2 ** bits offsets) and action; the longest match decides. The root has a rule.

    Examples
    --------
    >>> aggregate(np.array([0, 4, 6]), np.array([0, 1, 0]), 3, 2).tolist()
    [[0, 3, 0], [4, 1, 1]]
    """
    change = np.ones(len(start), dtype=np.bool_)
    change[1:] = action[1:] != action[:-1]
    start, action = np.asarray(start[change], np.int64), np.asarray(action[change], np.int32)
    out = np.empty((len(start) * 2 * (span_bits + 1) + 2, 3), dtype=np.int64)
    rules = _aggregate(start, action, span_bits, (actions + 63) // 64, out)
    return out[:rules].copy()
