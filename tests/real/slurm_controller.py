"""A real ``slurmctld`` with our topology.conf, alone in namespaces of its own, with nodes that never come up.

Nodes are of State=CLOUD and resumed by a program that does nothing, so that jobs get nodes and wait for them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from real_programs import SEARCHED

_COUNTER = iter(range(1_000_000))
_ADDRESS = "10.55.0.1"
_CONF = """\
ClusterName=plan
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
SchedulerParameters=bf_interval=1,sched_min_interval=100000
TopologyPlugin=topology/tree
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=100000
ResumeTimeout=60000
ProctrackType=proctrack/pgid
MailProg=/bin/true
MaxNodeCount={count}
{nodes}
PartitionName=all Nodes=ALL Default=YES State=UP
"""


class SlurmController:
    """A context manager.

    Parameters
    ----------
    topology : str
        Text of topology.conf.
    nodes : str
        Ranges of all nodes, as NodeName= takes them.
    count : int
        How many there are.
    """

    def __init__(self, topology: str, nodes: str, count: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"fabs{os.getpid()}x{next(_COUNTER)}-"))
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "topology.conf").write_text(topology)
        host = socket.gethostname().split(".")[0]
        lines = "\n".join(f"NodeName={part} CPUs=1 State=CLOUD" for part in re.split(r",(?![^\[]*\])", nodes))
        text = _CONF.format(host=host, address=_ADDRESS, folder=self.folder, nodes=lines, count=count)
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{_ADDRESS} {host} {socket.gethostname()}\n")
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {**os.environ, "PATH": SEARCHED, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self) -> SlurmController:
        try:
            self._start("space", ["unshare", "-n", "-m", "sleep", "infinity"], inside=False)
            space = self._running[0].pid
            deadline = time.monotonic() + 10
            while Path(f"/proc/{space}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
                if time.monotonic() > deadline:
                    raise RuntimeError("no namespaces were made")
                time.sleep(0.01)
            self._setup(["ip", "link", "set", "lo", "up"])
            self._setup(["ip", "address", "add", f"{_ADDRESS}/32", "dev", "lo"])
            self._setup(["mount", "--make-rprivate", "/"])
            self._setup(["mount", "--bind", str(self.folder / "hosts"), "/etc/hosts"])
            files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid"}
            files |= {"log-file": "munge.log", "seed-file": "munge.seed"}
            words = [f"--{flag}={self.folder / name}" for flag, name in files.items()]
            self._start("munged", ["munged", "--foreground", "--force", *words])
            self._start("slurmctld", ["slurmctld", "-D", "-i"])
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _inside(self, words: list[str]) -> list[str]:
        return ["nsenter", "-t", str(self._running[0].pid), "-n", "-m", *words]

    def _setup(self, words: list[str]) -> None:
        subprocess.run(self._inside(words), check=True, env=self._environment, capture_output=True, timeout=20)

    def _start(self, name: str, words: list[str], *, inside: bool = True) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            command = self._inside(words) if inside else words
            self._running.append(subprocess.Popen(command, stdout=out, stderr=out, env=self._environment))

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("scontrol", "ping")
                if "is UP" in self.run("scontrol", "ping"):
                    return
            except RuntimeError:
                pass
            if self._running[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"slurmctld did not start: {self.log()[-2000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """What slurmctld has said."""
        parts = [self.folder / "slurmctld.log", self.folder / "slurmctld.out"]
        return "".join(path.read_text(errors="replace") for path in parts if path.exists())

    def run(self, *words: str) -> str:
        """What a client of Slurm prints."""
        done = subprocess.run(
            self._inside(list(words)), env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def place(self, nodes: int, *options: str) -> list[str]:
        """Names of the nodes that a job of so many whole nodes gets, once it has them."""
        out = self.run("sbatch", "--parsable", f"--nodes={nodes}", "--exclusive", *options, "--wrap", "sleep 1000")
        job, deadline = out.strip(), time.monotonic() + 30
        while True:
            found = self.run("squeue", "-h", "-j", job, "-o", "%N").strip()
            if found:
                return self.run("scontrol", "show", "hostnames", found).split()
            if time.monotonic() > deadline:
                raise RuntimeError(f"job {job} of {nodes} nodes was not placed: {self.log()[-2000:]}")
            time.sleep(0.05)

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
