"""A tab of the shell: completions of the last word, as bash asks for them, in a process of their own."""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.cases.children import ended
from benchmarks.measure import fabric


def main(words: str) -> None:
    """Print how long a tab after ``words`` takes; it has to complete something."""
    place = str(len(words.split(" ")) - 1)
    asked = {"_FABRIC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": place}
    began = time.perf_counter()
    text, taken = ended(fabric(), {**os.environ, **asked}, began)
    if not text.strip():
        print(json.dumps({"failed": f"nothing completes {words!r}"}))
        return
    print(json.dumps(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
