"""OpenSM on a simulated InfiniBand fabric, in a network namespace of its own: ``ibsim``'s sockets are abstract."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from real_programs import SEARCHED

_COUNTER = iter(range(1_000_000))
_PRELOAD = "/usr/lib/x86_64-linux-gnu/umad2sim/libumad2sim.so"


class IbLab:
    """A context manager around ``ibsim`` with the net file of an export.

    Parameters
    ----------
    console : bool
        Whether the simulator takes commands, as ``Unlink``.
    """

    def __init__(self, net: Path, host: str, *, console: bool = False) -> None:
        self.net = net
        self.host = host
        self.console = console
        self.name = f"fabi{os.getpid()}x{next(_COUNTER)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self._simulator: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> IbLab:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            subprocess.run(["ip", "netns", "add", self.name], check=True)
            subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
            mode = [] if self.console else ["-n"]
            words = ["ibsim", "-s", *mode, "-N", "20000", "-S", "8000", "-P", "400000", "-L", "49152", str(self.net)]
            with (self.folder / "ibsim.log").open("wb") as log:
                self._simulator = subprocess.Popen(
                    ["ip", "netns", "exec", self.name, *words],
                    stdin=subprocess.PIPE, stdout=log, stderr=log, env={**os.environ, "PATH": SEARCHED},
                )  # fmt: skip
            time.sleep(1.0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._simulator is not None:
            self._simulator.kill()
            self._simulator.wait(timeout=5)
            if self._simulator.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._simulator.stdin.close()
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)

    def order(self, command: str) -> None:
        """A command of the simulator's console."""
        assert self._simulator is not None
        assert self._simulator.stdin is not None
        self._simulator.stdin.write(f"{command}\n".encode())
        self._simulator.stdin.flush()
        time.sleep(0.5)

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program of InfiniBand on the simulated host; its output."""
        # The library is preloaded inside the namespace only: ``ip`` itself would look for the simulator too.
        places = [f"LD_PRELOAD={_PRELOAD}", f"OSM_TMP_DIR={self.folder}", f"OSM_CACHE_DIR={self.folder}"]
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, "env", *places, f"SIM_HOST={self.host}", *command],
            capture_output=True, text=True, cwd=self.folder, timeout=60, check=False,
            env={**os.environ, "PATH": SEARCHED},
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr}{done.stdout}"[:2000])
        return done.stdout

    def sweep(self, *flags: str) -> str:
        """One sweep of OpenSM; the forwarding tables it installed, as it dumps them."""
        log = self.folder / "osm.log"
        self.run("opensm", "-o", "-e", "-f", str(log), "-D", "0x43", *flags)
        return (self.folder / "opensm-lfts.dump").read_text()
