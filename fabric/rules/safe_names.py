"""Names of a scenario made safe for generated files: few characters, bounded, still unique, the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b


def safe_names(names: Iterable[str], *, longest: int = 63, allowed: str = "A-Za-z0-9_.-") -> list[str]:
    """One safe name per name, in order.

    A name that holds only allowed characters, begins with a letter or digit and is short enough stays as it is. Others
    get ``_`` for what is not allowed and end in six hexadecimal digits of a hash of the whole name; names that would
    still meet are distinguished by a number.

    Parameters
    ----------
    longest : int
        Characters at most, at least 12.
    allowed : str
        Inside of a character class of a regular expression; holds digits, ``_`` and ``-``.

    Examples
    --------
    >>> safe_names(["leaf1", "pod 1/leaf1"])
    ['leaf1', 'pod_1_leaf1-25a634']
    """
    plain = re.compile(rf"[A-Za-z0-9][{allowed}]*")
    wanted = list(names)
    taken = {name for name in wanted if plain.fullmatch(name) and len(name) <= longest}
    found: list[str] = []
    seen: dict[str, str] = {}
    for name in wanted:
        if name not in taken and name not in seen:
            digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
            stem = re.sub(rf"[^{allowed}]", "_", name)[: longest - 7].lstrip("_.-") or "n"
            made, again = f"{stem}-{digest}", 2
            while made in taken:
                tail = f"-{again}"
                made, again = f"{stem[: longest - 7 - len(tail)]}-{digest}{tail}", again + 1
            taken.add(made)
            seen[name] = made
        found.append(seen.get(name, name))
    return found
