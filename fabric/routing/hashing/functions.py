"""Hash functions of switches, compiled, and how a switch's seed enters them.

``crc32`` is that of IEEE 802.3, ``crc16`` that of CCITT (polynomial 0x1021, initial value 0xFFFF), ``xor`` the XOR of
all header bytes, as the classic link-aggregation hash, ``random`` an ideal hash (SplitMix64).

A CRC, and XOR, are affine: another initial value, or a seed in front of the header, changes the hash of **all** headers
of one length by the same XOR constant. A seed that enters only there leaves flows that collide at one switch colliding
at the next. A seed is therefore two things here, a constant that is XORed in and a rotation of the hash: the next hop
is taken from bits of its own at every switch, as with the hash offset that switch silicon offers. Switches whose
rotations happen to agree still polarise, and the 8 bits of ``xor`` have only 8 rotations; ``random`` has neither
weakness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled

Bytes = NDArray[np.uint8]
MOST_PICKS = 8  # per member of a group

BITS = {"random": 64, "crc16": 16, "crc32": 32, "xor": 8}  # width of the hash, by name; see names.HASH_FUNCTIONS
_CRC16_POLYNOMIAL = 0x1021
_CRC32_POLYNOMIAL = 0xEDB88320  # of IEEE 802.3, bits reversed


def _crc16_table() -> NDArray[np.uint32]:
    """CRC of every byte shifted in from the left, shape (256,)."""
    table = np.arange(256, dtype=np.uint32) << 8
    for _ in range(8):
        table = np.where(table & 0x8000, (table << 1) ^ _CRC16_POLYNOMIAL, table << 1) & 0xFFFF
    return table.astype(np.uint32)


def _crc32_table() -> NDArray[np.uint32]:
    """CRC of every byte shifted in from the right, shape (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ _CRC32_POLYNOMIAL, table >> 1)
    return table.astype(np.uint32)


_CRC16 = _crc16_table()
_CRC32 = _crc32_table()


@compiled
def mix(value: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a 64-bit hash of a 64-bit number."""
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def crc16(data: Bytes, length: int) -> np.uint32:
    """CRC-16 of CCITT over the first ``length`` bytes."""
    crc = np.uint32(0xFFFF)
    for index in range(length):
        byte = (crc >> np.uint32(8)) ^ np.uint32(data[index])
        crc = ((crc << np.uint32(8)) & np.uint32(0xFFFF)) ^ _CRC16[byte]
    return crc


@compiled
def crc32(data: Bytes, length: int) -> np.uint32:
    """CRC-32 of IEEE 802.3 over the first ``length`` bytes."""
    crc = np.uint32(0xFFFFFFFF)
    for index in range(length):
        crc = (crc >> np.uint32(8)) ^ _CRC32[(crc ^ np.uint32(data[index])) & np.uint32(0xFF)]
    return crc ^ np.uint32(0xFFFFFFFF)


@compiled
def xor8(data: Bytes, length: int) -> np.uint32:
    """XOR of the first ``length`` bytes."""
    folded = np.uint32(0)
    for index in range(length):
        folded ^= np.uint32(data[index])
    return folded


@compiled
def next_hop(key: np.uint64, seed: np.uint64, bits: int, hops: int) -> np.int64:
    """Which of ``hops`` next hops a switch with ``seed`` takes for a flow whose header hashes to ``key``.

    Parameters
    ----------
    key : uint64
        Hash of the header, ``bits`` wide.
    seed : uint64
        Of the switch. 64-bit keys are mixed with it; of shorter ones the low half of the seed is XORed in and the
        high half says how far the sum is rotated.
    bits : int
        Width of the hash, 64 for the ideal one.
    hops : int
        Number of next hops; the hash modulo this is the answer.
    """
    if hops == 1:
        return np.int64(0)
    many, even = np.uint64(hops), hops & (hops - 1) == 0  # a power of 2 needs no division, the slowest step
    if bits == 64:
        value = mix(key ^ seed)
        return np.int64(value & (many - np.uint64(1))) if even else np.int64(value % many)
    mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    turn = (seed >> np.uint64(32)) % np.uint64(bits)
    value = (key ^ seed) & mask
    value = ((value << turn) | (value >> (np.uint64(bits) - turn))) & mask
    return np.int64(value & (many - np.uint64(1))) if even else np.int64(value % many)


@compiled
def lasting_pick(key: np.uint64, seed: np.uint64, bits: int, count: int, number: int) -> int:
    """Pick ``number``, from 0, of a switch with resilient hashing among the ``count`` members of a group.

    The first is ``next_hop`` of the whole group. A member that is not usable is followed by further picks, by the hash
    mixed with their number, until one is: at most ``most_picks``, then the first member that is usable. Taking a member
    away so moves only the flows on it, and spreads them evenly over the others.
    """
    if number == 0:
        return next_hop(key, seed, bits, count)
    if number >= MOST_PICKS * count:  # where few of many are left, picks may miss them
        return np.int64(number - MOST_PICKS * count)
    return np.int64(mix(mix(key ^ seed) + np.uint64(number)) % np.uint64(count))


@compiled
def most_picks(count: int) -> int:
    """How many picks there are in a group; the last ``count`` of them are all its members, in order."""
    return (MOST_PICKS + 1) * count
