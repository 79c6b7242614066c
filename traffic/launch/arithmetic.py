"""Whole-number arithmetic of a script, ``$(( … ))``, within 64 bits as a shell has it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_TOKENS = re.compile(r"\s*(\*\*|<=|>=|==|!=|&&|\|\||<<|>>|0[xX][0-9A-Fa-f]+|\d+|[A-Za-z_]\w*|.)", re.DOTALL)
_LARGEST = 2**63
_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": lambda a, b: int(_quotient(a, b)), "%": lambda a, b: a - b * int(_quotient(a, b))},
)  # fmt: skip


class ExpressionError(ValueError):
    """The expression is not followed."""


def evaluate(text: str, value_of: Callable[[str], int]) -> int:
    """The value of an expression.

    Parameters
    ----------
    value_of : callable
        The whole number that a name stands for.

    Raises
    ------
    ExpressionError
        Signs that are not followed, division by zero, or more than 64 bits.

    Examples
    --------
    >>> evaluate("GPUS * (2 + 2)", {"GPUS": 8}.__getitem__)
    32
    """
    if len(text) > 1000:
        raise ExpressionError("too long")
    tokens = _TOKENS.findall(text.strip())
    parser = _Parser(tokens, value_of)
    value = parser.level(0)
    if parser.at != len(tokens):
        raise ExpressionError(text)
    return value


class _Parser:
    def __init__(self, tokens: list[str], value_of: Callable[[str], int]) -> None:
        self._tokens, self._value_of, self.at = tokens, value_of, 0
        self._depth = 0

    def _next(self) -> str:
        return self._tokens[self.at] if self.at < len(self._tokens) else ""

    def level(self, number: int) -> int:
        if number == len(_LEVELS):
            return self._power()
        value = self.level(number + 1)
        while self._next() in _LEVELS[number]:
            sign = self._next()
            self.at += 1
            value = _bounded(_LEVELS[number][sign](value, self.level(number + 1)))
        return value

    def _power(self) -> int:
        base = self._single()
        if self._next() != "**":
            return base
        self.at += 1
        exponent = self._power()
        if exponent < 0 or (abs(base) > 1 and exponent > 63):
            raise ExpressionError("too large")
        return _bounded(base**exponent)

    def _single(self) -> int:
        token = self._next()
        self.at += 1
        self._depth += 1
        if self._depth > 40:
            raise ExpressionError("too deep")
        if token == "(":
            value = self.level(0)
            if self._next() != ")":
                raise ExpressionError("a parenthesis is not closed")
            self.at += 1
        elif token in ("-", "+", "!"):
            inner = self._single()
            value = -inner if token == "-" else int(not inner) if token == "!" else inner
        elif token[:1].isdigit():
            value = int(token, 16) if token[:2] in ("0x", "0X") else int(token)
        elif re.fullmatch(r"[A-Za-z_]\w*", token):
            value = self._value_of(token)
        else:
            raise ExpressionError(f"{token!r}")
        self._depth -= 1
        return _bounded(value)


def _quotient(dividend: int, divisor: int) -> int:
    """Towards zero, as a shell divides."""
    if divisor == 0:
        raise ExpressionError("division by zero")
    whole = abs(dividend) // abs(divisor)
    return whole if (dividend < 0) == (divisor < 0) else -whole


def _bounded(value: int) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise ExpressionError("more than 64 bits")
    return value
