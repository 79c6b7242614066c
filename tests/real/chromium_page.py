"""A page in a headless Chromium of the test's own, driven over its DevTools port."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket


class Page:
    """One tab; ends its browser by pid."""

    def __init__(self, url: str, folder: Path, *, size: tuple[int, int] = (1280, 900)) -> None:
        self._browser = subprocess.Popen(
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                "--remote-allow-origins=*", f"--user-data-dir={folder}",
                f"--window-size={size[0]},{size[1]}", "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._count = 0
        self.frames: list[str] = []  # what web sockets of the page received
        try:
            port = self._port(folder)
            tab = next(one for one in self._tabs(port) if one["type"] == "page")
            self._socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=30)
            self.ask("Network.enable")
            self.ask("Page.navigate", url=url)
        except BaseException:
            self._end()
            raise

    def _port(self, folder: Path) -> int:
        place = folder / "DevToolsActivePort"
        for _ in range(300):
            if place.exists() and (lines := place.read_text().splitlines()):
                return int(lines[0])
            time.sleep(0.1)
        raise AssertionError("Chromium did not open its DevTools port")

    def _tabs(self, port: int) -> list[dict[str, Any]]:
        for _ in range(100):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
                tabs: list[dict[str, Any]] = json.load(answer)
            if any(one["type"] == "page" for one in tabs):
                return tabs
            time.sleep(0.1)
        raise AssertionError("Chromium has no page")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools call."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "Network.webSocketFrameReceived":
                self.frames.append(_payload(answer["params"]["response"]))
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def value(self, expression: str) -> Any:
        """What an expression of the page gives."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """One printable key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, **text)

    def screenshot(self, path: Path) -> None:
        """The page as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def __enter__(self) -> Page:
        """The page."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._browser.terminate()
        try:
            self._browser.wait(10)
        except subprocess.TimeoutExpired:
            self._browser.kill()
            self._browser.wait()


def _payload(response: dict[str, Any]) -> str:
    """Text of a frame; binary ones come as base64."""
    data = str(response["payloadData"])
    return base64.b64decode(data).decode("utf-8", errors="replace") if response["opcode"] == 2 else data
