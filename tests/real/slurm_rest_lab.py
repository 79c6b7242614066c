"""A slurmctld of its own in a network namespace, with its munged and slurmrestd, and nodes that need no slurmd.

Nodes are of a cloud, so that the controller places jobs on them without anybody there; ``PrivateData=cloud`` lists
them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from real_programs import SEARCHED

_COUNTER = iter(range(1_000_000))


class SlurmController:
    """A context manager; ``folder/bin/scontrol`` asks this controller, ``rest`` is the address of its slurmrestd."""

    def __init__(self, nodes: str = "gpu[1-8]") -> None:
        self.nodes = nodes
        self.name = f"fabs{os.getpid()}x{next(_COUNTER)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.folder.chmod(0o755)
        self.rest = f"unix://{self.folder}/rest.sock"
        self.environment = {**os.environ, "PATH": SEARCHED, "SLURM_CONF": str(self.folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> SlurmController:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            subprocess.run(["ip", "netns", "add", self.name], check=True)
            self.run("ip", "link", "set", "lo", "up")
            self.run("ip", "addr", "add", "10.55.0.1/32", "dev", "lo")  # 127/8 alone is no address to Slurm
            self._configure()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _configure(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        for name in ("state", "bin"):
            (self.folder / name).mkdir()
        lines = {
            "ClusterName": "lab", "SlurmctldHost": f"{socket.gethostname().split('.')[0]}(10.55.0.1)",
            "SlurmUser": "root", "AuthType": "auth/munge", "AuthInfo": f"socket={self.folder}/munge.sock",
            "CryptoType": "crypto/munge", "StateSaveLocation": f"{self.folder}/state",
            "SlurmctldPidFile": f"{self.folder}/ctl.pid", "ProctrackType": "proctrack/pgid", "TaskPlugin": "task/none",
            "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_Core", "GresTypes": "gpu",
            "ResumeProgram": "/bin/true", "SuspendProgram": "/bin/true", "SuspendTime": "-1", "PrivateData": "cloud",
            "SchedulerParameters": "batch_sched_delay=0,sched_min_interval=0",
        }  # fmt: skip
        text = "".join(f"{key}={value}\n" for key, value in lines.items())
        text += f"NodeName={self.nodes} CPUs=64 RealMemory=1000000 Gres=gpu:8 State=CLOUD\n"
        text += f"PartitionName=batch Nodes={self.nodes} Default=YES MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text)
        program = self.folder / "bin" / "scontrol"
        real = shutil.which("scontrol", path=SEARCHED)
        program.write_text(
            f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec ip netns exec {self.name} {real} "$@"\n'
        )
        program.chmod(0o755)

    def _start(self) -> None:
        at = self.folder
        self._daemon(
            "munged", "--foreground", "--force", f"--key-file={at}/munge.key", f"--socket={at}/munge.sock",
            f"--pid-file={at}/munged.pid", f"--log-file={at}/munged.log", f"--seed-file={at}/munged.seed",
        )  # fmt: skip
        self._wait(lambda: (at / "munge.sock").exists(), "munged")
        self._daemon("slurmctld", "-D", "-c", "-f", f"{at}/slurm.conf")
        self._wait(lambda: "UP" in self.run("scontrol", "ping", check=False), "slurmctld")
        self.environment["SLURMRESTD_SECURITY"] = "disable_user_check"  # root, in a namespace of its own
        self._daemon(
            "slurmrestd", "-s", "openapi/v0.0.38", "-a", "rest_auth/local", "-f", f"{at}/slurm.conf",
            f"unix:{at}/rest.sock",
        )  # fmt: skip
        self._wait(lambda: (at / "rest.sock").exists(), "slurmrestd")

    def _daemon(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("wb") as log:
            command = ["ip", "netns", "exec", self.name, *words]
            self._daemons.append(subprocess.Popen(command, stdout=log, stderr=log, env=self.environment))

    def _wait(self, ready, what: str) -> None:
        deadline = time.monotonic() + 15
        while not ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} does not start: {(self.folder / f'{what}.out').read_text()[-500:]}")
            time.sleep(0.05)

    def run(self, *words: str, check: bool = True) -> str:
        """What a command inside prints."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *words], env=self.environment, capture_output=True, text=True,
            check=False, timeout=20,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.stderr}")
        return done.stdout

    def submit(self, *options: str) -> str:
        """A job that starts at once: its number."""
        number = self.run("sbatch", "--parsable", "-o", "/dev/null", *options, "--wrap", "sleep 100").strip()
        self._wait(lambda: self.run("squeue", "-h", "-o", "%t", "-j", number).strip() in ("CF", "R"), "slurmctld")
        return number

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)
