"""Which heavy packages ``fabric --help`` loads, and how many modules in all."""

from __future__ import annotations

import contextlib
import io
import json
import sys

HEAVY = ("ortools", "scapy", "textual", "numba", "networkx", "scipy", "pydantic", "numpy")


def main() -> None:
    """Run the command in this process and look."""
    from fabric.cli.main import run

    with contextlib.redirect_stdout(io.StringIO()):
        code = run(["--help"])
    print(
        json.dumps(
            {"exit": code, "heavy": [name for name in HEAVY if name in sys.modules], "modules": len(sys.modules)}
        )
    )


if __name__ == "__main__":
    main()
