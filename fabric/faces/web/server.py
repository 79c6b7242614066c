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
    """Answers with pages; ``server_address`` has the port that it got.

    It has its port from the start and refuses connections until ``open``, so that a port that is taken is found before
    the pages are made.
    """

    pages: Pages

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, log: Callable[[str], None]) -> None:
        self.log, self._asked = log, f"{host}:{port}"
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler, bind_and_activate=False)
            self.server_bind()
        except (OSError, OverflowError, UnicodeError) as error:
            self.server_close()
            raise self._refused(error) from None

    def open(self, pages: Pages) -> None:
        """Listen, with these pages.

        Raises
        ------
        OutputError
            When another has begun to listen at the port meanwhile (FP9871).
        """
        self.pages = pages
        try:
            self.server_activate()
        except OSError as error:
            self.server_close()
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(
            f"--listen {self._asked}: {reason}",
            hint="name an address of this machine and a free port; port 0 takes any that is free",
            code="FP9871",
        )

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

    def do_POST(self) -> None:
        """Refuse what would change something; a body that comes with it is not read."""
        text = b"only GET and HEAD are answered\n"
        self.close_connection = True
        self.send_response(HTTPStatus.METHOD_NOT_ALLOWED)
        headers = {"Allow": "GET, HEAD", "Content-Type": "text/plain", "Content-Length": len(text)}
        for name, value in {**headers, "Connection": "close", **_HEADERS}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = do_POST  # noqa: N815  # as HTTP writes them

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
    server = PlanServer(host, port, log)
    server.open(pages)
    return server
