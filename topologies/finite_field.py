"""Finite fields of prime-power order, as tables: small enough for networks, exact for every order.

Element n of GF(p^k) stands for the polynomial whose coefficients are the digits of n in base p.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import isqrt

import numpy as np

from topologies.columns import Ints, column


@dataclass(frozen=True, eq=False)
class Field:
    """Addition and multiplication of the elements 0..q−1."""

    order: int
    addition: Ints  # shape (q, q)
    multiplication: Ints  # shape (q, q)
    primitive: int  # whose powers are all elements but 0

    def subtract(self, one: int, other: int) -> int:
        """one − other."""
        return int(np.flatnonzero(self.addition[other] == one)[0])

    def power(self, exponent: int) -> int:
        """The primitive element to a power."""
        value = 1
        for _ in range(exponent % (self.order - 1)):
            value = int(self.multiplication[value, self.primitive])
        return value


def prime_power(number: int) -> tuple[int, int] | None:
    """Prime and exponent of a prime power; None for other numbers.

    >>> prime_power(9), prime_power(12)
    ((3, 2), None)
    """
    if number < 2:
        return None
    prime = next((value for value in range(2, isqrt(number) + 1) if number % value == 0), number)
    exponent, rest = 0, number
    while rest % prime == 0:
        rest //= prime
        exponent += 1
    return (prime, exponent) if rest == 1 else None


@cache
def finite_field(order: int) -> Field:
    """The field of ``order`` elements.

    Raises
    ------
    ValueError
        When the order is not a prime power.

    >>> finite_field(4).multiplication[2, 3]
    np.int32(1)
    """
    found = prime_power(order)
    if found is None:
        raise ValueError(f"{order} is not a prime power")
    prime, degree = found
    digits = np.array(list(product(range(prime), repeat=degree)))[:, ::-1]  # row n: coefficients, lowest first
    weight = prime ** np.arange(degree)
    addition = ((digits[:, None] + digits[None]) % prime) @ weight
    for modulus in product(range(prime), repeat=degree):
        multiplication = _products(digits, np.array(modulus), prime) @ weight
        if degree == 1 or all(len(set(row.tolist())) == order for row in multiplication[1:]):
            break
    primitive = next(element for element in range(1, order) if _period(multiplication, element) == order - 1)
    return Field(order, column(addition, np.int32), column(multiplication, np.int32), primitive)


def _products(digits: np.ndarray, modulus: np.ndarray, prime: int) -> np.ndarray:
    """Products of all pairs of polynomials, reduced by x^k = −modulus, shape (q, q, k)."""
    count, degree = digits.shape
    full = np.zeros((count, count, 2 * degree - 1), dtype=np.int64)
    for low in range(degree):
        for high in range(degree):
            full[:, :, low + high] += np.outer(digits[:, low], digits[:, high])
    full %= prime
    for place in range(2 * degree - 2, degree - 1, -1):
        full[:, :, place - degree : place] -= full[:, :, place : place + 1] * modulus
        full %= prime
    return full[:, :, :degree]


def _period(multiplication: np.ndarray, element: int) -> int:
    """Least power of an element that is 1; 0 where there is none."""
    value, power = element, 1
    while value != 1:
        value, power = int(multiplication[value, element]), power + 1
        if power > len(multiplication):
            return 0
    return power
