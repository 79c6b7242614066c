"""Lists of whole numbers as Megatron-LM takes them, such as ``([0]*3+[1]*58)``; Python evaluates nothing of them."""

from __future__ import annotations

import re

_TOKENS = re.compile(r"\d+|[\[\](),+*]")
_DEEP = 20


class ListExpressionError(ValueError):
    """The text is no such list; the message says why."""


def listed(text: str, most: int) -> list[int]:
    """The list that an expression of ``[…]``, ``+``, ``*`` and parentheses stands for.

    Parameters
    ----------
    most : int
        Entries that it may have; what has more is refused before it is built.

    Raises
    ------
    ListExpressionError
        Other signs, or more entries.

    Examples
    --------
    >>> listed("([0]*1+[1]*2)*2", 100)
    [0, 1, 1, 0, 1, 1]
    """
    bare = re.sub(r"\s", "", text)
    if len(bare) > 10_000:
        raise ListExpressionError("is longer than any list of layers")
    tokens = _TOKENS.findall(bare)
    if sum(map(len, tokens)) != len(bare):
        raise ListExpressionError("has other signs than [ ] ( ) , + * and digits")
    reader = _Reader(tokens, most)
    found = reader.sum(0)
    if reader.at != len(tokens):
        raise ListExpressionError("does not end where it should")
    return found


class _Reader:
    def __init__(self, tokens: list[str], most: int) -> None:
        self._tokens, self._most, self.at = tokens, most, 0

    def _take(self) -> str:
        token = self._tokens[self.at] if self.at < len(self._tokens) else ""
        self.at += 1
        return token

    def _is(self, sign: str) -> bool:
        return self.at < len(self._tokens) and self._tokens[self.at] == sign

    def sum(self, depth: int) -> list[int]:
        total = self._product(depth)
        while self._is("+"):
            self.at += 1
            total = self._checked(total, self._product(depth))
        return total

    def _checked(self, one: list[int], other: list[int]) -> list[int]:
        if len(one) + len(other) > self._most:
            raise ListExpressionError(f"has more than {self._most:,} entries")
        return one + other

    def _product(self, depth: int) -> list[int]:
        times = 1
        if self.at < len(self._tokens) and self._tokens[self.at].isdigit():
            times = self._number()
            if not self._is("*"):
                raise ListExpressionError("has a number outside a list")
            self.at += 1
        found = self._single(depth)
        while self._is("*"):
            self.at += 1
            factor = self._number()
            times *= factor
            if len(found) * times > self._most:
                raise ListExpressionError(f"has {len(found) * times:,} entries, more than {self._most:,}")
        if len(found) * times > self._most:
            raise ListExpressionError(f"has {len(found) * times:,} entries, more than {self._most:,}")
        return found * times

    def _number(self) -> int:
        token = self._take()
        if not token.isdigit() or len(token) > 18:
            raise ListExpressionError("is multiplied by what is no number")
        return int(token)

    def _single(self, depth: int) -> list[int]:
        if depth > _DEEP:
            raise ListExpressionError(f"is nested more than {_DEEP} deep")
        opening = self._take()
        if opening == "(":
            found = self.sum(depth + 1)
            if self._take() != ")":
                raise ListExpressionError("has a parenthesis that is not closed")
            return found
        if opening != "[":
            raise ListExpressionError("is no list")
        found = []
        while not self._is("]"):
            found.append(self._number())
            if self._is(","):
                self.at += 1
            elif not self._is("]"):
                raise ListExpressionError("has a bracket that is not closed")
        self.at += 1
        return found
