"""Conditions of a script: decided where both sides are known, and not known otherwise."""

from __future__ import annotations

import fnmatch
import re

from traffic.launch.expansion import Expander
from traffic.launch.lexer import Token
from traffic.launch.text import Text, assumed_in, plain, unknown_in

_NUMBERS = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"}
_TEXTS = {"=", "==", "!="}


def holds(tokens: list[Token], expander: Expander, rests: set[str]) -> bool | None:
    """Whether what stands between the brackets holds; None where it is not known, or looks at files.

    Parameters
    ----------
    rests : set of str
        The defaults of the script that it rests on are added.
    """
    if not tokens:
        return False
    for sign, empty in (("||", False), ("-o", False), ("&&", True), ("-a", True)):
        at = next((number for number, token in enumerate(tokens) if token.text == sign), None)
        if at is not None and at > 0:
            one, other = holds(tokens[:at], expander, rests), holds(tokens[at + 1 :], expander, rests)
            if (not empty) in (one, other):
                return not empty
            return None if None in (one, other) else empty
    if tokens[0].text == "!":
        inner = holds(tokens[1:], expander, rests)
        return None if inner is None else not inner
    return _single(tokens, expander, rests)


def _single(tokens: list[Token], expander: Expander, rests: set[str]) -> bool | None:
    texts: list[Text] = [expander.text(token.text, token.line) for token in tokens]
    for text in texts:
        rests |= assumed_in(text)
    if any(unknown_in(text) for text in texts):
        return None
    values = [plain(text) for text in texts]
    if len(values) == 1:
        return bool(values[0])
    if len(values) == 2 and values[0] in ("-n", "-z"):
        return bool(values[1]) == (values[0] == "-n")
    if len(values) != 3:
        return None
    left, sign, right = values
    if sign in _TEXTS:
        equal = fnmatch.fnmatchcase(left[:200], right[:60]) if "*" in right else left == right
        return equal == (sign != "!=")
    if sign in _NUMBERS and all(re.fullmatch(r"-?\d{1,18}", value.strip()) for value in (left, right)):
        a, b = int(left), int(right)
        return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[sign]
    return None
