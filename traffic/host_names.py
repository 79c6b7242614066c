"""Names of hosts as others write them: with a domain or without, in any case; never one of several."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|.*:.*")


class HostNames:
    """Finds the hosts of a scenario behind a name that a file gives.

    Examples
    --------
    >>> hosts = HostNames(["n0", "n1.a", "n1.b"])
    >>> hosts.find("N0.example.com"), hosts.find("n1"), hosts.find("n1.a.example.com"), hosts.find("n9")
    ((0,), (1, 2), (1,), ())
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._exact = {name: number for number, name in enumerate(self.names)}
        self._short: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            self._short.setdefault(_folded(name).split(".", 1)[0], []).append(number)

    def find(self, name: str) -> tuple[int, ...]:
        """Numbers of the hosts that may be meant: one when it is clear, several when it is not.

        An equal name goes first; then one that differs in case only; then one that is the other with a domain behind.
        """
        if name in self._exact:
            return (self._exact[name],)
        wanted = _folded(name)
        near = self._short.get(wanted.split(".", 1)[0], [])
        same = tuple(number for number in near if _folded(self.names[number]) == wanted)
        if same or _ADDRESS.fullmatch(wanted):
            return same
        return tuple(number for number in near if _within(_folded(self.names[number]), wanted))


def _folded(name: str) -> str:
    return name.casefold().rstrip(".")


def _within(left: str, right: str) -> bool:
    """Whether one of the names is the other with a domain behind it."""
    return left.startswith(f"{right}.") or right.startswith(f"{left}.")
