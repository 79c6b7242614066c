"""Compile the loops of usual work for any newer processor and put them where a wheel takes them along.

    python scripts/ship_loops.py && python -m pip wheel . --no-deps

Needs Linux on x86-64, and takes minutes. Loops are valid for the very sources and versions that they were made from, so
that this comes last before the wheel is built; ``--clear`` takes them away again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

WORK = (
    "route examples/train-2k.fabric.yaml",
    "route examples/quickstart.fabric.yaml --router all",
    "route examples/quickstart.fabric.yaml --router optimal",
    "route examples/abilene.fabric.yaml --router optimal",
    "failures examples/quickstart.fabric.yaml",
)


def main() -> None:
    """Run the work in processes of their own; each adds what it compiles."""
    from fabric.routing.kept_loops import BASELINE, SHIPPED

    shutil.rmtree(SHIPPED, ignore_errors=True)
    if "--clear" in sys.argv[1:]:
        return
    SHIPPED.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"NUMBA_CPU_NAME": BASELINE, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": folder}
        environment = {**os.environ, **chosen, "FABRIC_SHIP_LOOPS": str(SHIPPED), "PYTHONPATH": str(ROOT)}
        for words in WORK if len(sys.argv) < 2 else (" ".join(sys.argv[1:]),):
            command = [sys.executable, "-c", "from fabric.cli.main import main; main()", *words.split()]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1, 6):  # 1: a limit does not hold; 6: stopped at a limit of time
                sys.exit(f"fabric {words}: exit code {done.returncode}\n{done.stderr}")
    files = list(SHIPPED.iterdir())
    print(f"{len(files)} loops, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB, in {SHIPPED}")


if __name__ == "__main__":
    main()
