"""A server that only reads: GET and HEAD of pages that are made already."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from fabric.faces.web.pages import Pages
from topologies.errors import OutputError

_IDLE_S = 30.0  # that a connection may say nothing
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class PlanServer(ThreadingHTTPServer):
    """Answers with pages; ``server_address`` has the port that it got."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, pages: Pages, log: Callable[[str], None]) -> None:
        self.pages, self.log = pages, log
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    @property
    def shown(self) -> str:
        """Host and port as a URL has them."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that went away is no error of ours."""
        self.log(f"{client_address[0]} went away")


class _Handler(BaseHTTPRequestHandler):
    server: PlanServer
    server_version, sys_version = "fabric", ""
    timeout = _IDLE_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        page = self.server.pages.at(urlsplit(self.path).path)
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there are /, /metrics, /result.json and /healthz")
            return
        self.send_response(HTTPStatus.OK)
        for name, value in {"Content-Type": page.content_type, "Content-Length": len(page.body), **_HEADERS}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if body:
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that it has above
        self.server.log(f"{self.address_string()} {format % args}")


def open_server(host: str, port: int, pages: Pages, log: Callable[[str], None]) -> PlanServer:
    """A server that listens.

    Raises
    ------
    OutputError
        When the address is not of this machine, or the port is taken (FP9871).
    """
    try:
        return PlanServer(host, port, pages, log)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"--listen {host}:{port}: {reason}",
            hint="name an address of this machine and a free port; port 0 takes any that is free",
            code="FP9871",
        ) from None
