"""A real ``slurmctld`` alone in namespaces of its own, with its munged, and where asked for its slurmrestd.

Nodes are of State=CLOUD and resumed by a program that does nothing: jobs get nodes and wait for them, without a slurmd
anywhere. ``PrivateData=cloud`` lists them.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from real_programs import SEARCHED

from traffic.hostlist import expand_hosts

PROGRAMS = ("slurmctld", "munged", "scontrol", "sbatch", "squeue", "unshare", "nsenter", "ip")
_COUNTER = iter(range(1_000_000))
_ADDRESS = "10.55.0.1"  # 127/8 alone is no address to Slurm
_CONF = """\
ClusterName=lab
SlurmctldHost={host}({address})
SlurmUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmctldDebug=info
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters={scheduler}
GresTypes=gpu
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=100000
ResumeTimeout=60000
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MailProg=/bin/true
PrivateData=cloud
MaxNodeCount={count}
"""
_AT_ONCE = "batch_sched_delay=0,sched_min_interval=0"
_IN_ORDER = "bf_interval=1,sched_min_interval=100000"  # jobs of one moment, all by one pass of backfill


class SlurmLab:
    """A context manager; ``folder/bin/scontrol`` asks this controller, ``rest`` is the address of its slurmrestd.

    Parameters
    ----------
    nodes : str
        Ranges of all nodes, as NodeName= takes them.
    each : str
        What every node has.
    topology : str, optional
        Text of topology.conf; without it all nodes are alike.
    with_rest : bool
        Whether slurmrestd is started.
    """

    def __init__(
        self, nodes: str, each: str = "CPUs=1", *, topology: str | None = None, with_rest: bool = False
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"fabs{os.getpid()}x{next(_COUNTER)}-"))
        self.folder.chmod(0o755)
        self.rest = f"unix://{self.folder}/rest.socket"
        self.with_rest = with_rest
        self._configure(nodes, each, topology)
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "PATH": SEARCHED,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "SLURMRESTD_SECURITY": "disable_user_check",  # root, in a namespace of its own
        }

    def _configure(self, nodes: str, each: str, topology: str | None) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        host = socket.gethostname().split(".")[0]
        text = _CONF.format(
            host=host,
            address=_ADDRESS,
            folder=self.folder,
            scheduler=_AT_ONCE if topology is None else _IN_ORDER,
            count=len(expand_hosts(nodes)),
        )
        if topology is not None:
            (self.folder / "topology.conf").write_text(topology)
            text += "TopologyPlugin=topology/tree\n"
        text += "".join(f"NodeName={part} {each} State=CLOUD\n" for part in re.split(r",(?![^\[]*\])", nodes))
        text += "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{_ADDRESS} {host} {socket.gethostname()}\n")
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)

    def __enter__(self) -> SlurmLab:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            self._make_namespaces()
            files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid"}
            files |= {"log-file": "munge.log", "seed-file": "munge.seed"}
            flags = [f"--{flag}={self.folder / name}" for flag, name in files.items()]
            self._start("munged", "--foreground", "--force", *flags)
            self._start("slurmctld", "-D", "-c", "-i")
            self._wait(lambda: "is UP" in self.run("scontrol", "ping", check=False), "slurmctld")
            if self.with_rest:
                socket_path = self.folder / "rest.socket"
                self._start("slurmrestd", "-s", "openapi/v0.0.38", "-a", "rest_auth/local", f"unix:{socket_path}")
                self._wait(socket_path.exists, "slurmrestd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make_namespaces(self) -> None:
        self._running.append(subprocess.Popen(["unshare", "-n", "-m", "sleep", "infinity"], env=self._environment))
        space = self._running[0].pid
        outside = Path("/proc/self/ns/net").readlink()
        self._wait(lambda: Path(f"/proc/{space}/ns/net").readlink() != outside, "unshare")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{_ADDRESS}/32", "dev", "lo")
        self.run("mount", "--make-rprivate", "/")
        self.run("mount", "--bind", str(self.folder / "hosts"), "/etc/hosts")
        program = self.folder / "bin" / "scontrol"
        inside = " ".join(self._inside([str(shutil.which("scontrol", path=SEARCHED))]))
        program.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {inside} "$@"\n')
        program.chmod(0o755)

    def _inside(self, command: list[str]) -> list[str]:
        return ["nsenter", "-t", str(self._running[0].pid), "-n", "-m", *command]

    def _start(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.out").open("wb") as out:
            started = subprocess.Popen(self._inside([*command]), stdout=out, stderr=out, env=self._environment)
        self._running.append(started)

    def _wait(self, ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if self._running[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not ready: {self.log()[-2000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """All that the programs report."""
        files = [self.folder / "slurmctld.log", *sorted(self.folder.glob("*.out"))]
        return "".join(path.read_text(errors="replace") for path in files if path.exists())

    def run(self, *command: str, check: bool = True) -> str:
        """What a command inside prints."""
        done = subprocess.run(
            self._inside([*command]), env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def submit(self, *options: str) -> str:
        """Number of a job that sleeps."""
        return self.run("sbatch", "--parsable", "--output=/dev/null", *options, "--wrap", "sleep 1000").strip()

    def nodes_of(self, jobs: Iterable[str]) -> dict[str, str]:
        """Node ranges of jobs, once all have them."""
        wanted, nodes = set(jobs), dict[str, str]()

        def placed() -> bool:
            rows = [line.split() for line in self.run("squeue", "-h", "-o", "%i %N").splitlines()]
            nodes.update({row[0]: row[1] for row in rows if len(row) == 2})
            return wanted <= set(nodes)

        self._wait(placed, f"jobs {', '.join(sorted(wanted))}", 30)
        return nodes

    def place(self, nodes: int, *options: str) -> list[str]:
        """Names of the nodes that a job of so many whole nodes gets, once it has them."""
        job = self.submit(f"--nodes={nodes}", "--exclusive", *options)
        return self.run("scontrol", "show", "hostnames", self.nodes_of([job])[job]).split()

    def switches(self) -> dict[str, tuple[int, str]]:
        """Level and nodes of every switch, as ``scontrol show topology`` prints them."""
        rows = re.findall(
            r"^SwitchName=(\S+) Level=(\d+) LinkSpeed=\S+ Nodes=(\S+)", self.run("scontrol", "show", "topology"), re.M
        )
        return {name: (int(level), nodes) for name, level, nodes in rows}

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.send_signal(signal.SIGKILL if process is self._running[0] else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            if process.poll() is None:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)
