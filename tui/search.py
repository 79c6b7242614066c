"""Finding things by a few of their letters, in the right order, among a hundred thousand names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST_RANKED = 2_000


def fuzzy(query: str, names: Sequence[str], most: int = 200) -> list[int]:
    """Positions of the names in which the letters of ``query`` stand in order, best first.

    Whole words and beginnings come before letters far apart; shorter names before longer ones, ties in order.

    >>> fuzzy("sp7", ["spine17", "leaf7", "spine07", "sp7"])
    [3, 0, 2]
    >>> fuzzy("", ["a", "b"])
    [0, 1]
    """
    wanted = "".join(query.casefold().split())
    if not wanted:
        return list(range(min(len(names), most)))
    pattern = re.compile(".*?".join(map(re.escape, wanted)), re.IGNORECASE)
    found: list[tuple[int, int, int, int]] = []
    for at, name in enumerate(names):
        match = pattern.search(name)
        if match is not None:
            found.append((match.end() - match.start(), match.start(), len(name), at))
            if len(found) >= _MOST_RANKED and len(names) > 50_000 and len(wanted) < 2:
                break
    return [at for *_, at in sorted(found)[:most]]
