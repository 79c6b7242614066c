"""Names that schedulers take: those that do not fit are mapped one to one, and the table of them is exported.

A name that fits stays as it is. Of others, what is not allowed becomes ``-``, and a name that is too long, ends in too
long a number, or would meet another gets six hexadecimal digits of a hash of the whole name. The mapping depends on the
names alone, so that an export a year later has the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

_TAIL = re.compile(r"\d+$")


@dataclass(frozen=True)
class NameRules:
    """What a consumer takes as a name.

    Attributes
    ----------
    allowed : str
        Inside of a character class, of characters in the middle; the first and the last are letters or digits.
    longest : int
        Characters at most.
    digits : int
        Of a number at the end at most.
    lower : bool
        Whether capitals are not taken.
    taken : frozenset of str
        Words that mean something else there.
    """

    what: str
    allowed: str
    longest: int
    digits: int = 253
    lower: bool = False
    taken: frozenset[str] = frozenset()

    def fits(self, name: str) -> bool:
        """Whether a name stays as it is."""
        edge = "a-z0-9" if self.lower else "A-Za-z0-9"
        tail = _TAIL.search(name)
        return (
            len(name) <= self.longest
            and re.fullmatch(rf"[{edge}](?:[{self.allowed}]*[{edge}])?", name) is not None
            and (tail is None or len(tail[0]) <= self.digits)
            and name.casefold() not in self.taken
        )

    def near(self, name: str) -> str:
        """The nearest name of allowed characters; it may still be too long."""
        text = name.lower() if self.lower else name
        return re.sub(rf"[^{self.allowed}]", "-", text).strip("-._") or "n"


# slurm.conf(5) of 22.05 and topology.yaml(5) of 25.05: a switch name has 64 characters at most. Slurm folds names by
# the number at their end, and keeps that in 64 bits: longer ones crash it.
SLURM = NameRules("Slurm", "A-Za-z0-9._-", 64, digits=15, taken=frozenset({"default", "all", "none"}))
# Kubernetes, "Object Names and IDs" (RFC 1123 subdomain) and "Labels and Selectors" (syntax of values).
NODE = NameRules("Kubernetes nodes", "a-z0-9.-", 253, lower=True)
LABEL = NameRules("label values", "A-Za-z0-9._-", 63)
HOST = NameRules("host lists", "A-Za-z0-9._-", 253)


def fit_names(names: Iterable[str], rules: NameRules) -> dict[str, str]:
    """The written name of every name.

    >>> fit_names(["leaf1", "pod0/leaf1", "pod0-leaf2", "pod0/leaf2"], LABEL)
    {'leaf1': 'leaf1', 'pod0/leaf1': 'pod0-leaf1', 'pod0-leaf2': 'pod0-leaf2', 'pod0/leaf2': 'pod0-leaf2-89a6cc'}
    """
    wanted = list(dict.fromkeys(names))
    kept = {name for name in wanted if rules.fits(name)}
    near = {name: rules.near(name) for name in wanted if name not in kept}
    often = Counter(near.values())
    written = {}
    for name in wanted:
        made = name if name in kept else near[name]
        if name not in kept and (made in kept or often[made] > 1 or not rules.fits(made)):
            digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
            made = f"{made[: rules.longest - 7].rstrip('-._')}-{digest}"
        written[name] = made
    if len(set(written.values())) != len(written):
        twice = next(name for name, count in Counter(written.values()).items() if count > 1)
        raise ValueError(f"two names become {twice!r}")
    return written


@dataclass(frozen=True)
class Mapped:
    """A name that is written differently."""

    kind: str  # host, group, block
    fabric: str  # empty for hosts, which are of all fabrics
    name: str
    written: str


def mapped(kind: str, fabric: str, written: dict[str, str]) -> Sequence[Mapped]:
    """Names that are written differently."""
    return [Mapped(kind, fabric, name, other) for name, other in written.items() if name != other]


def folded(names: Iterable[str]) -> list[str]:
    """Ranges over the number at the end of names, in order: ``["n[08-10,12]", "login"]``.

    One bracket a name, at its end: what every version of Slurm reads.

    >>> folded(["n08", "n09", "n10", "n12", "login", "x1"])
    ['n[08-10,12]', 'login', 'x1']
    """
    runs: dict[tuple[str, int], list[list[int]]] = {}
    for name in names:
        tail = _TAIL.search(name)
        digits = tail[0] if tail else ""
        # Without leading zeros, numbers of different widths are one range; with them, only those of one width.
        key = (name[: len(name) - len(digits)], len(digits) if digits[:1] == "0" and len(digits) > 1 else 0)
        if not digits:
            runs.setdefault((name, -1), [])
            continue
        number = int(digits)
        if key[1] == 0 and (name[: len(name) - len(digits)], len(digits)) in runs:
            key = (key[0], len(digits))
        spans = runs.setdefault(key, [])
        if spans and spans[-1][1] + 1 == number:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [_range(prefix, width, spans) for (prefix, width), spans in runs.items()]


def _range(prefix: str, width: int, spans: list[list[int]]) -> str:
    texts = [str(a).zfill(width) if a == b else f"{str(a).zfill(width)}-{str(b).zfill(width)}" for a, b in spans]
    if not texts:
        return prefix
    return f"{prefix}{texts[0]}" if len(spans) == 1 and spans[0][0] == spans[0][1] else f"{prefix}[{','.join(texts)}]"
