"""The image of deploy/Containerfile, built by buildah and run by crun as a cluster would: no rights, nothing to write.

Debian's packages and our libraries come from ``.venv/tools`` (``scripts/container_tools.sh``), so that a build needs no
network. What is built is kept there too: a build makes those layers again whose inputs have changed. As a program it
builds the image once, which takes a minute or two for the libraries.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.prefix) / "tools"
DEBIAN, WHEELS, STORE = TOOLS / "debian.tar", TOOLS / "wheels", TOOLS / "containers"
SENT = ("examples", "fabric", "topologies", "traffic", "tui", "deploy", "scripts", "LICENSE", "README.md",
        "pyproject.toml", ".dockerignore")  # fmt: skip
_MOST_LAYERS = 80  # of builds before this one, beyond which those that nothing stands on are forgotten


def _driver() -> str:
    """Layers over each other where the folder's file system can be one; copies otherwise."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", STORE], capture_output=True, text=True, check=True).stdout.strip()
    return "vfs" if kind == "overlayfs" else "overlay"


def buildah(*words: str | Path) -> str:
    """Run buildah on the store of the tests; what it printed."""
    where = ["--root", STORE / "root", "--runroot", STORE / "run", "--storage-driver", _driver()]
    done = subprocess.run(
        ["buildah", *where, *words], capture_output=True, text=True, env={**os.environ, "BUILDAH_ISOLATION": "chroot"}
    )
    if done.returncode:
        raise RuntimeError(f"buildah {words[0]}: {done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def alone() -> Iterator[None]:
    """One build at a time, whoever runs tests."""
    STORE.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "containers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(target: str, tag: str) -> None:
    """Build a stage of the Containerfile from a copy of what a clone has, and forget what that replaces."""
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        _build(Path(folder), target, tag)
    if len(buildah("images", "--all", "--quiet").split()) > _MOST_LAYERS:
        buildah("rmi", "--prune", "--force")


def _build(folder: Path, target: str, tag: str) -> None:
    listed = buildah("images", "-q", "--filter", "reference=localhost/planner-base")
    if not listed.strip():
        (folder / "base").write_text("FROM scratch\nADD debian.tar /\n")
        buildah("build", "-q", "-t", "planner-base", "-f", folder / "base", TOOLS)
    context = folder / "context"
    context.mkdir()
    for name in SENT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__", "wheels"))
        else:
            shutil.copy2(ROOT / name, context / name)
    shutil.copytree(WHEELS, context / "deploy" / "wheels", copy_function=os.link)
    (context / "unwanted").write_text("of the checkout, for no image\n")
    chosen = ["--build-arg", "BASE=localhost/planner-base", "--build-arg", "LOOPS=none", "--target", target]
    file = context / "deploy" / "Containerfile"
    buildah("build", "--layers", "--pull-never", *chosen, "-t", tag, "-f", file, context)


@dataclass(frozen=True)
class Image:
    """What was built: its settings, and its files, mounted."""

    config: dict[str, Any]
    root: Path


@contextmanager
def image() -> Iterator[Image]:
    """The whole image."""
    with alone():
        build("image", "fabric-planner")
        found = json.loads(buildah("inspect", "--type", "image", "localhost/fabric-planner"))
        container = buildah("from", "--pull-never", "localhost/fabric-planner").strip()
        try:
            yield Image(found["OCIv1"]["config"], Path(buildah("mount", container).strip()))
        finally:
            buildah("rm", container)


@dataclass
class Container:
    """A running one: ``process`` is the runtime's, which ends with its exit code."""

    name: str
    state: Path
    process: subprocess.Popen[str]

    def _crun(self, *words: str) -> str:
        line = ["crun", "--root", str(self.state), *words]
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout

    @property
    def pid(self) -> int:
        """Of its first process, as this machine numbers it; 0 while there is none."""
        text = self._crun("state", self.name)
        return int(json.loads(text)["pid"]) if text else 0

    def get(self, path: str, patience_s: float = 60.0) -> str:
        """What it answers inside, once it does."""
        ask = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:9469{path}', timeout=10).read().decode())"
        end = time.monotonic() + patience_s
        while self.process.poll() is None and time.monotonic() < end:
            pid = self.pid
            if pid:
                line = ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", ask]
                done = subprocess.run(line, capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    return done.stdout
            time.sleep(0.1)
        raise RuntimeError(f"no answer at {path}")

    def signal(self, name: str) -> None:
        """Send its first process a signal."""
        self._crun("kill", self.name, name)


@contextmanager
def running(image: Image, folder: Path, words: Sequence[str] | None = None, plan: Path | None = None,
            tmp: Path | None = None) -> Iterator[Container]:  # fmt: skip
    """The image with these words after its entry point: root read-only, as nobody, without capabilities."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["crun", "spec"], cwd=folder, check=True)
    spec = json.loads((folder / "config.json").read_text())
    spec["root"] = {"path": str(image.root), "readonly": True}
    user, group = (int(part) for part in image.config["User"].split(":"))
    spec["process"] |= {
        "terminal": False,
        "args": [*image.config["Entrypoint"], *(image.config["Cmd"] if words is None else words)],
        "env": image.config["Env"],
        "cwd": image.config["WorkingDir"],
        "user": {"uid": user, "gid": group},
        "capabilities": {kind: [] for kind in spec["process"]["capabilities"]},
        "noNewPrivileges": True,
    }
    for place, source, options in (("/plan", plan, ["bind", "ro"]), ("/tmp", tmp, ["bind", "rw"])):
        if source is not None:
            spec["mounts"].append({"destination": place, "type": "bind", "source": str(source), "options": options})
    (folder / "config.json").write_text(json.dumps(spec))
    # crun wants one hierarchy of control groups; in a mount namespace of its own it finds one, and makes none.
    name, state = f"planner-{os.getpid()}-{folder.name}", folder / "state"
    script = (
        "mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || mount -t tmpfs none /sys/fs/cgroup;"
        f' exec crun --cgroup-manager=disabled --root "{state}" run -b "{folder}" {name}'
    )
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    container = Container(name, state, process)
    try:
        yield container
    finally:
        if process.poll() is None:
            container.signal("KILL")
        process.communicate(timeout=20)


def run(
    image: Image, folder: Path, *words: str, plan: Path | None = None, tmp: Path | None = None
) -> tuple[int, str, str]:
    """Exit code, output and errors of one command in the image."""
    with running(image, folder, words, plan, tmp) as container:
        out, err = container.process.communicate(timeout=120)
        return container.process.returncode, out, err


if __name__ == "__main__":
    with alone():
        build("libraries", "fabric-libraries")  # has a name, so that it is not forgotten
        build("image", "fabric-planner")
