"""Devices as network namespaces with ``lldpd``, wired by veth pairs: what they hear, as ``lldpctl`` prints it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from real_programs import SEARCHED

Port = tuple[str, str]  # device, interface
_COUNTER = iter(range(1_000_000))
_ENVIRONMENT = {**os.environ, "PATH": SEARCHED}


class LldpLab:
    """A context manager.

    Parameters
    ----------
    cables : sequence of pairs of ports
        Which interface of which device is joined to which; names of interfaces have 15 characters at most.
    """

    def __init__(self, cables: Sequence[tuple[Port, Port]]) -> None:
        self.cables = cables
        self.devices = sorted({device for pair in cables for device, _ in pair})
        self.name = f"fabl{os.getpid()}x{next(_COUNTER)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.folder.chmod(0o755)  # lldpcli becomes another user
        self._daemons: list[subprocess.Popen[bytes]] = []

    def _space(self, device: str) -> str:
        return f"{self.name}n{self.devices.index(device)}"

    def _socket(self, device: str) -> str:
        return str(self.folder / f"{self.devices.index(device)}.socket")

    def __enter__(self) -> LldpLab:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            for device in self.devices:
                subprocess.run(["ip", "netns", "add", self._space(device)], check=True)
            for (one, port), (other, far) in self.cables:
                ends = ["name", port, "netns", self._space(one)], ["name", far, "netns", self._space(other)]
                subprocess.run(["ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1]], check=True)
                for device, name in ((one, port), (other, far)):
                    subprocess.run(["ip", "-n", self._space(device), "link", "set", name, "up"], check=True)
            for device in self.devices:
                self._start(device)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, device: str) -> None:
        """A daemon that calls itself as the device, and speaks every second."""
        words = ["ip", "netns", "exec", self._space(device), "lldpd", "-d", "-u", self._socket(device)]
        with (self.folder / f"{self.devices.index(device)}.log").open("wb") as log:
            self._daemons.append(subprocess.Popen(words, stdout=log, stderr=log, env=_ENVIRONMENT))
        deadline = time.monotonic() + 20
        while True:
            try:
                self._ask(device, "show", "configuration")
                break
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        for setting in (f"system hostname {device}", "lldp portidsubtype ifname", "lldp tx-interval 1"):
            self._ask(device, "configure", *setting.split(" ", 2))

    def _ask(self, device: str, *words: str) -> str:
        done = subprocess.run(
            ["ip", "netns", "exec", self._space(device), "lldpcli", "-u", self._socket(device), *words],
            capture_output=True, text=True, timeout=20, check=False, env=_ENVIRONMENT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{device}: {' '.join(words)}: {done.stderr}{done.stdout}"[:1000])
        return done.stdout

    def heard(self, form: str, folder: Path, *, within_s: float = 40) -> Path:
        """A file of every device, once each hears all that it is joined to by its present name."""
        folder.mkdir()
        deadline = time.monotonic() + within_s
        wanted = {device: sum(device == end for pair in self.cables for end, _ in pair) for device in self.devices}
        for device in self.devices:
            while True:
                text = self._ask(device, "-f", "json0", "show", "neighbors", "details")
                (part,) = json.loads(text)["lldp"]
                names = [entry["chassis"][0]["name"][0]["value"] for entry in part.get("interface", [])]
                if len(names) == wanted[device] and set(names) <= set(self.devices):
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{device} hears {names} after {within_s:g} s")
                time.sleep(0.3)
            text = self._ask(device, "-f", form, "show", "neighbors", "details")
            (folder / f"{device}.json").write_text(text, encoding="utf-8")
        return folder

    def __exit__(self, *_: object) -> None:
        for daemon in self._daemons:
            daemon.terminate()
        for daemon in self._daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(timeout=5)
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait(timeout=5)
        for device in self.devices:
            subprocess.run(["ip", "netns", "del", self._space(device)], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)
