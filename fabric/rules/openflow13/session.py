"""An OpenFlow 1.3 session with one switch, opened from our side over TCP or a unix socket.

A switch that listens (``ptcp:`` of Open vSwitch, or its ``BRIDGE.mgmt`` socket) is spoken to in turn: we ask, it
answers. Its own messages in between (echo requests, port changes) are answered or passed over. Every answer has to be
there whole within the timeout, however many messages and pieces it comes in, and no longer than a table can be.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, NamedTuple, TypeVar

from fabric.rules.errors import RuleError
from fabric.rules.openflow13 import encode, hash_basis
from fabric.rules.openflow13.error_words import error_words
from fabric.rules.openflow13.readback import InstalledFlow, InstalledGroup, read_flows, read_groups
from topologies.units import format_seconds

_HELLO, _ERROR, _ECHO_REQUEST, _FEATURES_REPLY, _MULTIPART_REPLY, _BARRIER_REPLY = 0, 1, 2, 6, 19, 21
MOST_ANSWER_BYTES = 128 * 2**20  # of all that comes while one answer is waited for: over a million flows
_MORE = 1  # flag of a multipart reply that another follows
BROKEN = "FP8041"  # the code of errors of a session that stopped on the way
_VERSIONS = {1: "1.0", 2: "1.1", 3: "1.2", 4: "1.3", 5: "1.4", 6: "1.5"}
_GROUPS_1_5 = (hash_basis.group_desc_request, hash_basis.read_groups)
_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Endpoint:
    """Where a switch listens."""

    kind: Literal["tcp", "unix"]
    host: str  # or the path of the socket
    port: int = 0

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.host}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class SwitchError(NamedTuple):
    """What a switch answered that it will not do."""

    xid: int
    words: str


def parse_endpoint(text: str) -> Endpoint:
    """``HOST:PORT``, ``[IPV6]:PORT``, ``tcp:HOST:PORT`` or ``unix:PATH``.

    Examples
    --------
    >>> str(parse_endpoint("tcp:192.0.2.1:6653"))
    '192.0.2.1:6653'
    """
    if text.startswith("unix:") and len(text) > 5:
        return Endpoint("unix", text[5:])
    host, found, port = text.removeprefix("tcp:").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not found or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise RuleError(
            f"{text!r} is not an address of a switch", hint="HOST:PORT, [IPV6]:PORT or unix:PATH", code="FP8040"
        )
    return Endpoint("tcp", host, int(port))


class Session:
    """A conversation with one switch; a context manager that hangs up at its end.

    Parameters
    ----------
    endpoint : Endpoint
        Where it listens.
    timeout_s : float
        Seconds that every whole answer may take.
    version : int
        Of the wire protocol: 4 for OpenFlow 1.3, 6 for 1.5, which is spoken about groups only (``hash_basis``).

    Attributes
    ----------
    offers : frozenset of int
        Versions of the wire protocol that the switch has in its HELLO.
    datapath : int
        Datapath id the switch gave.

    Raises
    ------
    RuleError
        FP8040 when nobody answers there or OpenFlow 1.3 is not spoken; FP8041, from any method, when the switch falls
        silent, hangs up or says what is not OpenFlow.
    """

    def __init__(self, endpoint: Endpoint, *, timeout_s: float = 10.0, version: int = encode.VERSION) -> None:
        self.endpoint = endpoint
        self.timeout_s = timeout_s
        self.version = version
        self.offers: frozenset[int] = frozenset()
        self._xid = 0
        self._errors: list[SwitchError] = []
        self._deadline = 0.0  # of the answer waited for, by time.monotonic()
        self._room_bytes = 0  # what may still come of it
        self._hung_up = False
        # Encoded before the connection is there: the first message imports scapy for up to a second on a busy machine,
        # and Open vSwitch hangs up on a peer that is silent for one.
        hello = encode.hello(xid=self.next_xid(), version=version)
        self._socket = self._open(hello)
        try:
            body = self._ask(self._said(encode.features_request(xid=self.next_xid())), _FEATURES_REPLY)
            if len(body) < 24:
                raise self._broken(f"it sent features of {len(body)} bytes")
            self.datapath = int.from_bytes(body[:8], "big")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def next_xid(self) -> int:
        """A transaction id not used before."""
        self._xid = self._xid % 0xFFFFFFFF + 1
        return self._xid

    def send(self, data: bytes) -> None:
        """Send messages without waiting for an answer."""
        try:
            self._socket.settimeout(self.timeout_s)
            self._socket.sendall(data)
        except OSError as error:
            self._hung_up = not isinstance(error, TimeoutError)
            raise self._broken(f"it takes no more messages ({error})") from None

    def barrier(self) -> list[SwitchError]:
        """Wait until the switch has done everything sent; what it refused since the last barrier."""
        self._ask(self._said(encode.barrier_request(xid=self.next_xid())), _BARRIER_REPLY)
        found, self._errors = self._errors, []
        return found

    def flows(self) -> list[InstalledFlow]:
        """All flows of all tables."""
        bodies = self._ask_parts(encode.flow_stats_request(xid=self.next_xid()), kind=1)
        return self._read(lambda: [flow for body in bodies for flow in read_flows(body)])

    def groups(self) -> list[InstalledGroup]:
        """All groups."""
        plain = self.version == encode.VERSION
        request, read = (encode.group_desc_request, read_groups) if plain else _GROUPS_1_5
        bodies = self._ask_parts(request(xid=self.next_xid()), kind=7)
        return self._read(lambda: [group for body in bodies for group in read(body)])

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _open(self, hello: bytes) -> socket.socket:
        """A connection with HELLOs exchanged; once more where it is cut before, as nothing can have been changed."""
        self._socket = _connect(self.endpoint, self.timeout_s)
        try:
            self._greet(hello)
            return self._socket
        except BaseException as error:
            self._socket.close()
            if not (self._hung_up and isinstance(error, RuleError)):
                raise
            first = error
        try:
            self._socket = _connect(self.endpoint, self.timeout_s)
        except RuleError:
            raise first from None
        try:
            self._greet(hello)
        except BaseException:
            self._socket.close()
            raise
        return self._socket

    def _greet(self, hello: bytes) -> None:
        """Exchange HELLOs and make sure that both speak 1.3 (specification, section 6.3.1)."""
        self._hung_up = False
        self._wait()
        try:
            self.send(hello)
            version, kind, _, body = self._receive()
        except RuleError as error:
            raise self._refused(f"no HELLO came: {error.problems[0].message}") from None
        self._hung_up = False  # what comes now is an answer
        if kind == _ERROR:
            raise self._refused(error_words(body))
        if kind != _HELLO:
            raise self._refused(f"it begins with a message of type {kind} instead of HELLO")
        offered = _bitmap(body)
        if offered is None:
            offered = [number for number in _VERSIONS if number <= version]
        self.offers = frozenset(offered)
        if self.version not in offered or version < self.version:
            with contextlib.suppress(RuleError):  # it may have hung up on our HELLO already
                self.send(encode.hello_failed(xid=self.next_xid()))
            names = ", ".join(_VERSIONS.get(number, f"version {number}") for number in offered)
            raise self._refused(
                f"it speaks OpenFlow {names or version}, not {_VERSIONS[self.version]}",
                hint="allow OpenFlow 1.3 on it; Open vSwitch: ovs-vsctl set bridge NAME protocols=OpenFlow13",
            )

    def _said(self, message: bytes) -> bytes:
        """A message that is the same in all versions, of the version of this session."""
        return bytes((self.version,)) + message[1:]

    def _wait(self) -> None:
        """From now on a whole answer is waited for."""
        self._deadline = time.monotonic() + self.timeout_s
        self._room_bytes = MOST_ANSWER_BYTES

    def _ask(self, request: bytes, kind: int) -> bytes:
        """Send a request; the body of its answer of type ``kind``, or of the first part of it."""
        self._wait()
        self.send(request)
        return self._await(int.from_bytes(request[4:8], "big"), kind)

    def _ask_parts(self, request: bytes, *, kind: int) -> list[bytes]:
        """Send a multipart request; the bodies of all parts of its answer."""
        body = self._ask(request, _MULTIPART_REPLY)
        bodies = []
        while True:
            if len(body) < 8 or int.from_bytes(body[:2], "big") != kind:
                raise self._broken("it answered a multipart request with something else")
            if len(body) > 8:
                bodies.append(body[8:])
            if not int.from_bytes(body[2:4], "big") & _MORE:
                return bodies
            body = self._await(int.from_bytes(request[4:8], "big"), _MULTIPART_REPLY)

    def _await(self, xid: int, kind: int) -> bytes:
        """The body of the next message that answers ``xid``; what else comes is answered, kept or passed over."""
        while True:
            version, got, number, body = self._receive()
            if version != self.version:
                words = _VERSIONS[self.version]
                raise self._broken(f"it sent a message of version {version} in a session of OpenFlow {words}")
            if got == _ECHO_REQUEST:
                self.send(self._said(encode.echo_reply(body, xid=number)))
            elif got == _ERROR and number == xid:
                raise self._refused(error_words(body))
            elif got == _ERROR:
                self._errors.append(SwitchError(number, error_words(body)))
            elif got == kind and number == xid:
                return body

    def _receive(self) -> tuple[int, int, int, bytes]:
        """Version, type, transaction id and body of the next message."""
        version, kind, length, xid = encode.HEADER.unpack(self._exactly(encode.HEADER.size))
        if length < encode.HEADER.size:
            raise self._broken(f"it sent a message of length {length}, less than its header")
        return version, kind, xid, self._exactly(length - encode.HEADER.size)

    def _exactly(self, count: int) -> bytes:
        """The next ``count`` bytes of the answer waited for."""
        self._room_bytes -= count
        if self._room_bytes < 0:
            raise self._broken(f"its answer has no end within {MOST_ANSWER_BYTES >> 20} MiB")
        pieces = bytearray()
        while len(pieces) < count:
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                raise self._silent()
            self._socket.settimeout(left_s)
            try:
                piece = self._socket.recv(count - len(pieces))
            except TimeoutError:
                raise self._silent() from None
            except OSError as error:
                self._hung_up = True
                raise self._broken(error.strerror or str(error)) from None
            if not piece:
                self._hung_up = True
                raise self._broken("it hung up")
            pieces += piece
        return bytes(pieces)

    def _read(self, parse: Callable[[], list[_Entry]]) -> list[_Entry]:
        try:
            return parse()
        except ValueError as error:
            raise self._broken(f"its answer cannot be read: {error}") from None

    def _silent(self) -> RuleError:
        return self._broken(f"it did not answer within {format_seconds(self.timeout_s)}, to the end of its answer")

    def _broken(self, words: str) -> RuleError:
        return RuleError(
            f"the session with {self.endpoint} broke: {words}",
            hint="see what the switch logs; the same push again installs only what is missing",
            code=BROKEN,
        )

    def _refused(self, words: str, hint: str = "see what the switch logs about this session") -> RuleError:
        return RuleError(f"{self.endpoint} refuses: {words}", hint=hint, code="FP8040")


def _connect(endpoint: Endpoint, timeout_s: float) -> socket.socket:
    """A connected socket."""
    try:
        if endpoint.kind == "tcp":
            return socket.create_connection((endpoint.host, endpoint.port), timeout_s)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(timeout_s)
            made.connect(endpoint.host)
        except BaseException:
            made.close()
            raise
        return made
    except (OSError, UnicodeError) as error:
        raise RuleError(
            f"no switch at {endpoint}: {error}",
            hint="the switch has to listen there; Open vSwitch: ovs-vsctl set-controller BRIDGE ptcp:PORT, or "
            "unix:RUNDIR/BRIDGE.mgmt",
            code="FP8040",
        ) from None


def _bitmap(body: bytes) -> list[int] | None:
    """Versions of a HELLO's bitmap; None when it has none."""
    at = 0
    while at + 4 <= len(body):
        kind, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        if length < 4:
            return None
        if kind == 1 and length >= 8:
            bits = int.from_bytes(body[at + 4 : at + 8], "big")
            return [number for number in range(32) if bits >> number & 1]
        at += (length + 7) // 8 * 8
    return None
