"""Nodes of Slurm: ``scontrol show nodes --json``, or the same document of slurmrestd; nothing is written.

The token of slurmrestd is in the environment (``SLURM_JWT``), as Slurm's own tools have it: never in a scenario, and
never printed.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
from dataclasses import dataclass

from topologies.budget import counted
from topologies.errors import FormatError, MissingProgramError
from topologies.reading.json_value import parse_json
from topologies.units import format_bytes, format_seconds
from traffic.schedulers.live.answer import MOST_BYTES, PATIENCE, TIMEOUT_S, LiveAnswer, now

SCONTROL = "scontrol"
TOKEN, USER = "SLURM_JWT", "SLURM_USER_NAME"
# Versions of the API, the newest first: a server speaks about three of them, and answers 404 to others.
VERSIONS = tuple(f"v0.0.{number}" for number in range(45, 36, -1))
_COMMANDS = (["show", "nodes", "-d", "--json"], ["show", "nodes", "-d", "-o"])  # the second before 21.08


@dataclass(frozen=True)
class SlurmCluster:
    """Where Slurm is: ``scontrol``, the command on this machine, or the address of a slurmrestd."""

    live: str = SCONTROL
    timeout_s: float = TIMEOUT_S

    @property
    def label(self) -> str:
        """Where it is, without a password that the address may have."""
        return f"slurm by {SCONTROL}" if self.live == SCONTROL else f"slurm at {without_user(self.live)}"

    def read(self) -> LiveAnswer:
        """Ask for the nodes."""
        text, of = _by_command(self) if self.live == SCONTROL else _by_rest(self)
        count = _count(text, self.label)
        if count == 0:
            raise _no_nodes(self)
        return LiveAnswer(
            text, self.label, f"{'no nodes' if count is None else counted(count, 'nodes')} by {of}", now()
        )


def without_user(address: str) -> str:
    """An address without the part before ``@``."""
    return re.sub(r"(?<=//)[^/@]*@", "", address)


def _count(text: str, label: str) -> int | None:
    """Nodes of an answer; None where it is no list of them, which its reader says."""
    if not text.lstrip().startswith("{"):
        return len(re.findall(r"^NodeName=", text, re.MULTILINE))
    listed = parse_json(text, label, code="FP6284").get("nodes")
    if isinstance(listed.value, dict):
        listed = listed.get("nodes")
    return None if listed.absent else sum(1 for _ in listed.each())


def _no_nodes(cluster: SlurmCluster) -> FormatError:
    return FormatError(
        "the controller lists no nodes", file=cluster.label,
        hint="sinfo, what does it list? Cloud nodes that are powered down are hidden unless slurm.conf has "
        "PrivateData=cloud", code="FP6287",
    )  # fmt: skip


# ---- scontrol ----


def _by_command(cluster: SlurmCluster) -> tuple[str, str]:
    program = shutil.which(SCONTROL)
    if program is None:
        raise MissingProgramError(
            "scontrol is not on this machine",
            hint="run this where Slurm's commands are, name a slurmrestd (live: http://head:6820), or path: a file of "
            "scontrol show nodes --json",
            code="FP6280",
        )
    words = ""
    for arguments in _COMMANDS:
        code, text, words = _run([program, *arguments], cluster)
        if code == 0 and ("NodeName=" in text or text.lstrip().startswith("{")):
            return text, f"scontrol {' '.join(arguments)}"
        if "unable to contact" in words.lower() or "no nodes" in (text + words).lower():
            break
    if "no nodes" in (text + words).lower():
        raise _no_nodes(cluster)
    raise FormatError(
        f"scontrol show nodes failed: {' '.join((words or text).split())[:300] or f'exit code {code}'}",
        file=cluster.label,
        hint="scontrol ping, does the controller answer? SLURM_CONF names the configuration",
        code="FP6282",
    )


def _run(command: list[str], cluster: SlurmCluster) -> tuple[int, str, str]:
    """Exit code, output and complaints of a command; at most as much as there is room for."""
    environment = {**os.environ, "SLURM_TIME_FORMAT": "standard", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=cluster.timeout_s, check=False, stdin=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FormatError(
            f"scontrol has not answered within {format_seconds(cluster.timeout_s)}",
            file=cluster.label, hint="timeout: 60 s waits longer; scontrol ping, does the controller answer?",
            code="FP6282",
        ) from None  # fmt: skip
    except OSError as error:
        raise MissingProgramError(f"scontrol does not start: {error.strerror}", code="FP6280") from None
    if len(done.stdout) > MOST_BYTES:
        raise _too_large(cluster)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def _too_large(cluster: SlurmCluster) -> FormatError:
    return FormatError(
        f"the answer is more than {format_bytes(MOST_BYTES)}", file=cluster.label,
        hint="a file of fewer nodes, which path: names", code="FP6284",
    )  # fmt: skip


# ---- slurmrestd ----


def _by_rest(cluster: SlurmCluster) -> tuple[str, str]:
    """The answer of the newest version that the server speaks."""
    parts = urllib.parse.urlsplit(cluster.live)
    if parts.scheme not in ("http", "https", "unix") or not (parts.hostname or parts.path):
        raise FormatError(
            f"{without_user(cluster.live)} is neither scontrol nor an address of a slurmrestd",
            file=cluster.label, hint="such as http://head:6820, or unix:///run/slurmrestd.sock", code="FP6289",
        )  # fmt: skip
    named = re.search(r"v0\.0\.\d+", parts.path) if parts.scheme != "unix" else None
    for version in [named[0]] if named else VERSIONS:
        status, text = _get(cluster, parts, f"/slurm/{version}/nodes")
        if status == 200:
            return text, f"REST {version}"
        if status not in (404, 500) or (status == 500 and "authentication" in text.lower()):
            raise _refused(cluster, status, text)
    raise FormatError(
        f"it speaks none of the versions {VERSIONS[-1]} to {VERSIONS[0]}", file=cluster.label,
        hint="is it a slurmrestd? live: http://head:6820/slurm/v0.0.40 names a version", code="FP6284",
    )  # fmt: skip


def _refused(cluster: SlurmCluster, status: int, text: str) -> FormatError:
    words = " ".join(text.split())[:200]
    if status in (401, 403) or "authentication" in words.lower():
        have = f"{TOKEN} is set, and refused" if os.environ.get(TOKEN) else f"{TOKEN} is not set"
        return FormatError(
            f"the server does not let us read nodes ({status}); {have}", file=cluster.label,
            hint=f"export $(scontrol token) sets {TOKEN}; {USER} names the user where the token does not",
            code="FP6283",
        )  # fmt: skip
    return FormatError(
        f"asked for nodes, the server answers {status}: {words}", file=cluster.label, hint="is it a slurmrestd?",
        code="FP6284",
    )  # fmt: skip


def _get(cluster: SlurmCluster, parts: urllib.parse.SplitResult, path: str) -> tuple[int, str]:
    """Status and text of one answer."""
    headers = {"Accept": "application/json"}
    for name, variable in (("X-SLURM-USER-TOKEN", TOKEN), ("X-SLURM-USER-NAME", USER)):
        if os.environ.get(variable):
            headers[name] = os.environ[variable]
    if any(not value.isprintable() or not value.isascii() for value in headers.values()):
        raise FormatError(  # the library's own complaint would print the token
            f"{TOKEN} or {USER} has characters that no token has", file=cluster.label,
            hint=f"export $(scontrol token) sets {TOKEN}", code="FP6283",
        )  # fmt: skip
    connection = _connection(parts, cluster.timeout_s)
    body, last = bytearray(), time.monotonic() + PATIENCE * cluster.timeout_s
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        status = answer.status
        while len(body) <= MOST_BYTES and (part := answer.read1(1 << 20)):
            body += part
            if time.monotonic() > last:
                raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = isinstance(error, TimeoutError)
        took = f"it has not answered within {format_seconds(cluster.timeout_s)}"
        raise FormatError(
            took if late else f"nobody answers: {error}", file=cluster.label,
            hint="timeout: 60 s waits longer" if late else "address and port of the slurmrestd; 6820 is usual",
            code="FP6282",
        ) from None  # fmt: skip
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise _too_large(cluster)
    return status, body.decode("utf-8", errors="replace")


def _connection(parts: urllib.parse.SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path, timeout_s)
    return http.client.HTTPConnection(parts.hostname or "", parts.port or 6820, timeout=timeout_s)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
