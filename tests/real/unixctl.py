"""Commands of ``ovs-appctl`` over the control socket of a daemon: no process per command, so thousands are quick."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType


class Control:
    """A session with the control socket of an Open vSwitch daemon (JSON-RPC 1.0); a context manager."""

    def __init__(self, path: Path, *, timeout_s: float = 30.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._count = 0

    def __call__(self, command: str, *arguments: str) -> str:
        """Output of one command; RuntimeError with what the daemon said when it refuses."""
        self._count += 1
        request = {"id": self._count, "method": command, "params": list(arguments)}
        self._socket.sendall(json.dumps(request).encode())
        got = b""
        while True:
            part = self._socket.recv(1 << 16)
            if not part:
                raise RuntimeError(f"{command}: the daemon closed the session")
            got += part
            if not part.rstrip().endswith(b"}"):
                continue
            try:
                answer = json.loads(got)
            except ValueError:
                continue
            if answer["error"] is not None:
                raise RuntimeError(f"{command} {' '.join(arguments)[:400]}: {answer['error']}")
            return str(answer["result"])

    def __enter__(self) -> Control:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._socket.close()
