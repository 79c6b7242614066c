"""A real scheduler and real workers on loopback, started and ended by their processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0
_QUIET = {"DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__DISK": "False", "DASK_LOGGING__DISTRIBUTED": "error"}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as tried:
        tried.settimeout(0.2)
        return tried.connect_ex(("127.0.0.1", port)) == 0


class DaskProcesses:
    """A scheduler and workers; ``end`` ends what is left of them."""

    def __init__(self, folder: Path, workers: int = 2, *, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.variables = dict(variables or {})
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-jupyter"
        )
        until = time.monotonic() + _START_S
        while not listens(self.port):
            assert self.scheduler.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)
        self.workers = [self.start_worker() for _ in range(workers)]

    @property
    def address(self) -> str:
        """What --scheduler takes."""
        return f"tcp://127.0.0.1:{self.port}"

    def start_worker(self, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """A worker of one thread, without a nanny: killed, it stays so; ``OTHER_VERSION`` is a folder read first."""
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
            "--death-timeout", "60", "--local-directory", str(self.folder), variables=variables,
        )  # fmt: skip

    def wait_for(self, workers: int) -> None:
        """Return when so many are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)

    def end(self) -> None:
        """Kill what still runs, by process."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait()

    def log(self) -> str:
        """What they printed."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("dask-*.log")))

    def _start(self, what: str, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        first = dict(variables or {}).pop("OTHER_VERSION", "")
        paths = [first, str(ROOT), str(ROOT / "tests" / "spread"), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(part for part in paths if part)
        environment = {**os.environ, **_QUIET, **self.variables, "PYTHONPATH": path}
        with (self.folder / f"dask-{len(self.processes)}-{what}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + what, *arguments],
                stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=self.folder,
            )  # fmt: skip
        self.processes.append(process)
        return process
